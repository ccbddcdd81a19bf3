var fiber = Fiber.new { Fiber.abort("gone") }
fiber.try()
fiber.call() // expect runtime error: Cannot call an aborted fiber.
