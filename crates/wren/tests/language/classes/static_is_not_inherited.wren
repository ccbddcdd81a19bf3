class Foo {
  static bar { 1 }
}
class Baz is Foo {}
Baz.bar // expect runtime error: Baz metaclass does not implement 'bar'.
