// Each fiber calls the next one, and adds to what that gives.
var fibers = []
var sum = 0
for (i in 0...20000) {
  fibers.add(Fiber.new {
    sum = sum + i
    if (i < 19999) fibers[i + 1].call()
  })
}
fibers[0].call()
// And one yields many times.
var counter = Fiber.new {
  for (i in 1..100000) Fiber.yield(i)
}
for (i in 1..100000) sum = sum + counter.call()
System.print(sum)
