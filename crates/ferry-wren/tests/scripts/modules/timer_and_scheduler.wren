// in order
import "timer" for Timer
import "scheduler" for Scheduler

System.print(Fiber.new { Timer.sleep("x") }.try()) // expect: Milliseconds must be a number.
System.print(Fiber.new { Timer.sleep(-1) }.try()) // expect: Milliseconds cannot be negative.
System.print(Timer.sleep(1)) // expect: null
var before = System.clock
Timer.sleep(1500)
System.print(System.clock - before) // expect: 1.5

Scheduler.add {
  System.print("scheduled")
}
Scheduler.add {
  System.print("another")
}
System.print("before") // expect: before
Timer.sleep(1)
// expect: scheduled
// expect: another
System.print("after") // expect: after
// Whatever can be called.
class Callable {
  construct new() {}
  call() { System.print("an object") }
}
Scheduler.add(Callable.new())
Scheduler.add(1)
Timer.sleep(1)
// expect: an object
// expect unseen: Num does not implement 'call()'.
