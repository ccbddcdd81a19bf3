class Foo {
  static value { __value }
  static value=(v) { __value = v }
  static add(a, b) { a + b }
  static this_ { this }
  instance { __value }
  construct new() {}
}
System.print(Foo.value) // expect: null
Foo.value = 3
System.print(Foo.value) // expect: 3
System.print(Foo.add(1, 2)) // expect: 3
System.print(Foo.this_) // expect: Foo
System.print(Foo.new().instance) // expect: 3
