// Each calls the next one.
var made = 0
var make
make = Fn.new {|depth|
  return Fiber.new {
    made = made + 1
    return depth == 0 ? "bottom" : make.call(depth - 1).call()
  }
}
System.print(make.call(1000).call()) // expect: bottom
System.print(made) // expect: 1001
