class Foo {
  foreign bar() // expect runtime error: Could not find foreign method 'bar()' for class Foo in module 'tests/language/classes/foreign_without_host'.
}
