class Foo {
  static bar(n) {
    if (n == 0) Fiber.abort("deep") // expect runtime error: deep
    bar(n - 1)
  }
}
Foo.bar(3)
