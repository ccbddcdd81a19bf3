class Foo {
  construct new(name) { _name = name }
  name { _name }
  own { this.name }
  bare { name }
  inBlock { Fn.new { this.name + name }.call() }
  setName(v) {
    name = v
    return this
  }
  name=(v) { _name = v }
}
var f = Foo.new("n")
System.print(f.own) // expect: n
System.print(f.bare) // expect: n
System.print(f.inBlock) // expect: nn
System.print(f.setName("m").name) // expect: m
