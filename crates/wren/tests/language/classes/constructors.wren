class Foo {
  construct new() { _made = "plainly" }
  construct named(a, b) {
    _made = a + b
  }
  construct early(stop) {
    _made = "early"
    if (stop) return
    _made = "late"
  }
  made { _made }
}
System.print(Foo.new().made) // expect: plainly
System.print(Foo.named("a", "b").made) // expect: ab
System.print(Foo.early(true).made) // expect: early
System.print(Foo.early(false).made) // expect: late
System.print(Foo.new()) // expect: instance of Foo
System.print(Foo.new() is Foo) // expect: true
System.print(Foo.new() == Foo.new()) // expect: false
