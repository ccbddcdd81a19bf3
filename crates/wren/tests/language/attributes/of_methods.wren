class Foo {
  #!getter
  #!times(count = 3)
  foo { 1 }

  #!own
  static bar(a, b) {}

  #hidden
  baz() {}
}
var methods = Foo.attributes.methods
System.print(Foo.attributes.self) // expect: null
System.print(methods["foo"][null]["getter"]) // expect: [null]
System.print(methods["foo"]["times"]["count"]) // expect: [3]
System.print(methods["static bar(_,_)"][null]["own"]) // expect: [null]
System.print(methods["baz()"]) // expect: null
