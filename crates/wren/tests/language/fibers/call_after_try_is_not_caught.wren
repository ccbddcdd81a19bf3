var fiber = Fiber.new {
  Fiber.yield()
  Fiber.abort("not caught") // expect runtime error: not caught
}
fiber.try()
fiber.call()
