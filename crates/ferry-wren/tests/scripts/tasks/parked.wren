// Fibers that wait, and those who meddle with them.
import "async" for Async, Channel

var fiber
var task = Async.spawn {
  fiber = Fiber.current
  Async.sleep(10)
  return "its own"
}
Async.sleep(1)
System.print(Fiber.new { fiber.call() }.try()) // expect: Cannot call a fiber that waits for a foreign method.
System.print(Fiber.new { fiber.transfer(1) }.try()) // expect: Cannot transfer to a fiber that waits for a foreign method.
System.print(task.await()) // expect: its own

// A fiber inside of a task waits: so do those that called it, and nobody else.
var inner = Fiber.new {
  Async.sleep(10)
  Fiber.yield(1)
  Async.sleep(10)
  return 2
}
var other = 0
Async.spawn { other = 1 }
System.print(inner.call()) // expect: 1
System.print(other) // expect: 1
System.print(inner.call()) // expect: 2
System.print(inner.isDone) // expect: true

// One that suspends itself goes on when somebody calls it, and its task ends with it.
var loose
var suspended = Async.spawn {
  loose = Fiber.current
  var got = Fiber.suspend()
  System.print("got %(got)")
}
Async.sleep(1)
System.print(suspended.state) // expect: 0
loose.transfer("this") // expect: got this
// This fiber was left for that one, and is not resumed.
System.print("not reached")
