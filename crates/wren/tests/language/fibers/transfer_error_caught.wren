var inner = Fiber.new {
  Fiber.yield() // expect runtime error: thrown
  System.print("not reached")
}
var outer = Fiber.new {
  inner.call()
  inner.transferError("thrown")
}
// Nobody called the fiber that it happens in, so nobody catches it.
System.print(outer.try())
