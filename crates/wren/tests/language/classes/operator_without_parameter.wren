class Foo {
  + { 1 } // expect error
}
