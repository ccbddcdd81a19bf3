var fiber = Fiber.new {
  System.print("in fiber")
}
System.print("before") // expect: before
System.print(fiber.call())
// expect: in fiber
// expect: null
System.print(fiber.isDone) // expect: true
System.print(fiber) // expect: instance of Fiber
