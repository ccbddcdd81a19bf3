var functions = []
for (i in 1..3) functions.add(Fn.new { i })
for (f in functions) System.print(f.call())
// expect: 1
// expect: 2
// expect: 3
var i = 0
while (i < 2) {
  var own = i
  functions[i] = Fn.new { own = own + 10 }
  i = i + 1
}
System.print(functions[0].call()) // expect: 10
System.print(functions[0].call()) // expect: 20
System.print(functions[1].call()) // expect: 11
