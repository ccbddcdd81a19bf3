var root = Fiber.current
Fiber.new { root.call() }.call() // expect runtime error: Cannot call root fiber.
