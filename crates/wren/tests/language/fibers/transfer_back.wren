var main = Fiber.current
var fiber = Fiber.new {
  System.print("fiber") // expect: fiber
  System.print(main.transfer("to main"))
  main.transfer("again")
}
System.print(fiber.transfer()) // expect: to main
System.print(fiber.transfer("to fiber"))
// expect: to fiber
// expect: again
