class Foo {
  construct new() {}
  name { "instance" }
  static name { "static" }
}
System.print(Foo.name) // expect: static
System.print(Foo.new().name) // expect: instance
