class Foo {
  static bar { _a } // expect error
}
