var a
var b
a = Fiber.new {
  System.print("a")
  System.print(b.transfer("to b"))
  System.print("not reached")
}
b = Fiber.new {|v|
  System.print(v)
  return "end"
}
a.transfer()
// expect: a
// expect: to b
