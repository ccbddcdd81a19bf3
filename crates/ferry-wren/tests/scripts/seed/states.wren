// 0 pending, 1 completed, 2 failed, 3 cancelled.
import "async" for Async

var pending = Async.call("job", [1000])
System.print(pending.state) // expect: 0
System.print(Async.cancel(pending)) // expect: true
System.print(Fiber.new { Async.await(pending) }.try()) // expect: future was cancelled
System.print(pending.state) // expect: 3
System.print(Fiber.new { pending.get() }.try()) // expect: future was cancelled

var failed = Async.call("failing job")
System.print(Fiber.new { failed.await() }.try()) // expect: the job failed
System.print(failed.state) // expect: 2
System.print(failed.error) // expect: the job failed
System.print(Fiber.new { failed.get() }.try()) // expect: the job failed

var done = Async.call("add", [1, 2])
System.print(done.await()) // expect: 3
System.print(done.state) // expect: 1
System.print(done.error) // expect: null

var fiber = Async.spawn { Async.sleep(1000) }
Async.sleep(1)
System.print(fiber.state) // expect: 0
System.print(fiber.cancel()) // expect: true
System.print(Fiber.new { fiber.await() }.try()) // expect: future was cancelled
System.print(fiber.state) // expect: 3

var other = Async.spawn { Fiber.abort("it broke") }
System.print(Fiber.new { other.await() }.try()) // expect: it broke
System.print(other.state) // expect: 2
