Fiber.abort("message") // expect runtime error: message
