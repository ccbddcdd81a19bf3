Fiber.abort([1]) // expect runtime error: [error object]
