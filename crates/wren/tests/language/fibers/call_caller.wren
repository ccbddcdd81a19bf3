var a
var b
a = Fiber.new { b.call() }
b = Fiber.new { a.call() } // expect runtime error: Fiber has already been called.
a.call()
