var fiber = Fiber.new {}
fiber.call()
fiber.call() // expect runtime error: Cannot call a finished fiber.
