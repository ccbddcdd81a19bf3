var f = Fiber.new {
  var s = "x"
  while (true) s = s + s
}
System.print(f.try()) // expect: Out of memory.
