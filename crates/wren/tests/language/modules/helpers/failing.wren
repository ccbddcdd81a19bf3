// nontest
Fiber.abort("failed while loading")
