class Foo {
  construct new() {}
}
Foo.new().bar = 1 // expect runtime error: Foo does not implement 'bar=(_)'.
