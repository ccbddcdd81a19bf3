System.print(Fiber.new { List.filled(1e12, 0) }.try()) // expect: Out of memory.
System.print(Fiber.new { "ab" * 1e15 }.try()) // expect: Out of memory.
System.print(Fiber.new { [1, 2] * 1e15 }.try()) // expect: Out of memory.
System.print(Fiber.new { List.filled(1e300, 0) }.try()) // expect: Out of memory.
