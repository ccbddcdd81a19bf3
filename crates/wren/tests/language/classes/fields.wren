class Foo {
  construct new() {}
  unset { _unset }
  set(v) {
    _a = v
    Fn.new { _b = _a + 1 }.call()
    return [_a, _b]
  }
}
System.print(Foo.new().unset) // expect: null
System.print(Foo.new().set(1)) // expect: [1, 2]
