var add = Fn.new {|a, b| a + b }
System.print(add.call(1, 2)) // expect: 3
System.print(add.call(1, 2, 3)) // expect: 3
System.print(add.arity) // expect: 2
System.print(Fn.new {}.arity) // expect: 0
var many = Fn.new {|a, b, c, d, e, f, g, h, i, j, k, l, m, n, o, p| a + p }
System.print(many.call(1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16)) // expect: 17
