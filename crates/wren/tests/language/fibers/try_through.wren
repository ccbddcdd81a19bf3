var inner = Fiber.new { Fiber.abort("inner") }
var outer = Fiber.new {
  inner.call()
  System.print("not reached")
}
System.print(outer.try()) // expect: inner
System.print(inner.error) // expect: inner
System.print(outer.error) // expect: inner
