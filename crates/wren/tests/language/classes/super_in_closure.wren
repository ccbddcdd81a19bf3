class A {
  construct new() {}
  value { "A" }
}
class B is A {
  construct new() {}
  value { "B" }
  closure { Fn.new { super.value } }
}
System.print(B.new().closure.call()) // expect: A
