class Foo {
  construct new() {}
  multi(
    a,
    b
  ) { a + b }
}
System.print(Foo.new().multi(1, 2)) // expect: 3
