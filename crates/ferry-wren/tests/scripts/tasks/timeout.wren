import "async" for Async, Channel

System.print(Async.timeout(100) { "at once" }) // expect: at once
System.print(Async.timeout(100) {
  Async.sleep(50)
  return "in time"
}) // expect: in time

var log = []
System.print(Fiber.new {
  Async.timeout(10) {
    log.add(Fiber.new { Async.sleep(1000) }.try())
    Async.sleep(5)
    log.add("cleaned up")
    Fiber.abort("future was cancelled")
  }
}.try()) // expect: timed out after 10ms
System.print(log) // expect: [future was cancelled, cleaned up]

System.print(Fiber.new { Async.timeout(10) { Fiber.abort("its own") } }.try()) // expect: its own

// What comes although it was cancelled isn't lost.
System.print(Async.timeout(10) {
  Fiber.new { Async.sleep(1000) }.try()
  return "after all"
}) // expect: after all

// The time is up although nobody does anything.
System.print(Fiber.new { Async.timeout(10) { Channel.new().receive() } }.try()) // expect: timed out after 10ms
