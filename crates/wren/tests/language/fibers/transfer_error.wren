var fiber = Fiber.new {
  System.print("not reached") // expect runtime error: thrown
}
fiber.transferError("thrown")
