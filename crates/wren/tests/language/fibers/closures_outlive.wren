var read
var write
var fiber = Fiber.new {
  var local = 1
  read = Fn.new { local }
  write = Fn.new {|v| local = v }
  Fiber.yield()
  System.print(local)
}
fiber.call()
write.call(5)
System.print(read.call()) // expect: 5
fiber.call() // expect: 5
write.call(6)
System.print(read.call()) // expect: 6
