class Foo {
  construct new() {}
  toString { "own" }
}
System.print(Foo.new()) // expect: own
System.print("%(Foo.new())") // expect: own
System.print([Foo.new()]) // expect: [own]
