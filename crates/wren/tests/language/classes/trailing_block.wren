class Foo {
  construct new() {}
  foo(f) { f.call() }
  bar { foo { "in bar" } }
}
System.print(Foo.new().bar) // expect: in bar
