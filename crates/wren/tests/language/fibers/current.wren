System.print(Fiber.current.isDone) // expect: false
var fiber
fiber = Fiber.new { System.print(Fiber.current == fiber) } // expect: true
fiber.call()
