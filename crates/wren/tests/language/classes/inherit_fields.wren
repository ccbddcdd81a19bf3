class A {
  construct new(a) { _a = a }
  a { _a }
}
class B is A {
  construct new(a, b) {
    super(a)
    _b = b
  }
  b { _b }
  set(v) { _b = v }
}
class C is B {
  construct new(a, b, c) {
    super(a, b)
    _c = c
  }
  all { [a, b, _c] }
}
var c = C.new(1, 2, 3)
System.print(c.all) // expect: [1, 2, 3]
c.set(5)
System.print(c.all) // expect: [1, 5, 3]
