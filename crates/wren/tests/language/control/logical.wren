System.print(1 && 2) // expect: 2
System.print(false && 2) // expect: false
System.print(null || "b") // expect: b
System.print("a" || "b") // expect: a
System.print(false || null) // expect: null
System.print(0 && "zero is true") // expect: zero is true
var calls = 0
var f = Fn.new {
  calls = calls + 1
  return true
}
false && f.call()
true || f.call()
System.print(calls) // expect: 0
