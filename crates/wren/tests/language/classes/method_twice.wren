class Foo {
  bar() {}
  bar() {} // expect error
}
