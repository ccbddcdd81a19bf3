var inner = Fiber.new {
  System.print("inner 1")
  Fiber.yield()
  System.print("inner 2")
}
var outer = Fiber.new {
  inner.call()
  System.print("outer 1")
  Fiber.yield()
  inner.call()
  System.print("outer 2")
}
outer.call()
// expect: inner 1
// expect: outer 1
outer.call()
// expect: inner 2
// expect: outer 2
