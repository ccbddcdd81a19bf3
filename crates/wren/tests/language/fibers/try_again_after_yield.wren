var fiber = Fiber.new {
  Fiber.yield("first")
  Fiber.abort("second")
}
System.print(fiber.try()) // expect: first
System.print(fiber.try()) // expect: second
