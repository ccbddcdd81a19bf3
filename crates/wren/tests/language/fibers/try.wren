var fiber = Fiber.new { Fiber.abort("the error") }
System.print(fiber.try()) // expect: the error
System.print(fiber.error) // expect: the error
System.print(fiber.isDone) // expect: true
System.print(Fiber.new { 1 + null }.try()) // expect: Right operand must be a number.
System.print(Fiber.new { "fine" }.try()) // expect: fine
System.print(Fiber.new { Fiber.abort([1, 2]) }.try()) // expect: [1, 2]
System.print(Fiber.new {|v| "given %(v)" }.try("value")) // expect: given value
System.print(Fiber.new { }.error) // expect: null
