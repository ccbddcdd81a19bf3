var sum = 0
for (i in 1..2000) {
  Fiber.new {
    var own = i
    Fiber.yield()
  }.call()
  sum = sum + i
}
System.print(sum) // expect: 2001000
