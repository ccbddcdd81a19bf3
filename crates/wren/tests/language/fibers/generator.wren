var squares = Fiber.new {
  var n = 1
  while (true) {
    Fiber.yield(n * n)
    n = n + 1
  }
}
System.print((1..5).map {|i| squares.call() }.toList) // expect: [1, 4, 9, 16, 25]
