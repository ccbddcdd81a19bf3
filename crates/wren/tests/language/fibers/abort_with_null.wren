Fiber.abort(null)
System.print("goes on") // expect: goes on
