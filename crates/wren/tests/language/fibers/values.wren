var fiber = Fiber.new {|first|
  System.print("got %(first)")
  var second = Fiber.yield("out 1")
  System.print("got %(second)")
  var third = Fiber.yield()
  System.print("got %(third)")
  return "result"
}
System.print(fiber.call("in 1"))
// expect: got in 1
// expect: out 1
System.print(fiber.call("in 2"))
// expect: got in 2
// expect: null
System.print(fiber.isDone) // expect: false
System.print(fiber.call())
// expect: got null
// expect: result
System.print(fiber.isDone) // expect: true
