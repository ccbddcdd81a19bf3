{
  var a = "local"
  class Foo {
    construct new() {}
    foo { a } // expect runtime error: Foo does not implement 'a'.
  }
  Foo.new().foo
}
