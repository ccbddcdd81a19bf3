var a = ["a", "b", "c", "d"]
System.print(a[0]) // expect: a
System.print(a[-1]) // expect: d
System.print(a[1..2]) // expect: [b, c]
System.print(a[1...3]) // expect: [b, c]
System.print(a[3..1]) // expect: [d, c, b]
System.print(a[-2..-1]) // expect: [c, d]
System.print(a[0...-1]) // expect: [a, b, c]
System.print(a[4..-1]) // expect: []
System.print(a[4...4]) // expect: []
System.print(a[2...2]) // expect: []
a[1] = "x"
a[-1] = "y"
System.print(a) // expect: [a, x, c, y]
System.print(a[0] = "z") // expect: z
