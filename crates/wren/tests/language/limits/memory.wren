// Grows without an end.
var list = []
System.print(Fiber.new {
  while (true) list.add("text" * 1000)
}.try()) // expect: Out of memory.
list = null
System.print(List.filled(10, 1).count) // expect: 10
