Fiber.new("no") // expect runtime error: Argument must be a function.
