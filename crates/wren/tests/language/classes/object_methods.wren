class Foo {
  construct new() {}
}
var a = Foo.new()
System.print(Object.same(a, a)) // expect: true
System.print(Object.same(a, Foo.new())) // expect: false
System.print(Object.same("a", "a")) // expect: true
System.print(Object.same(1, 1)) // expect: true
System.print(!a) // expect: false
System.print(a != a) // expect: false
System.print(a.type) // expect: Foo
System.print(a.toString) // expect: instance of Foo
