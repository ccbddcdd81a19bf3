// Which of the two is asked is the algorithm's business.
System.print(Fiber.new { [1, null].sort() }.try() is String) // expect: true
