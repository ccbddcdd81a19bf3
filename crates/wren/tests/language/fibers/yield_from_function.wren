var deep = Fn.new {|n|
  if (n == 0) {
    Fiber.yield("deep")
  } else {
    Fn.new {}.call()
  }
  return n
}
var fiber = Fiber.new { [1, 0, 2].map {|n| deep.call(n) }.toList }
System.print(fiber.call()) // expect: deep
System.print(fiber.call()) // expect: [1, 0, 2]
