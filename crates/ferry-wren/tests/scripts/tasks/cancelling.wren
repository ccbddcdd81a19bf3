import "async" for Async, Channel

// A request is an error of what the fiber waits for; it may clean up, and wait in that.
var log = []
var task = Async.spawn {
  var fiber = Fiber.new { Async.sleep(1000) }
  var error = fiber.try()
  log.add(error)
  Async.sleep(10)
  log.add("cleaned up")
  Fiber.abort(error)
}
Async.sleep(1)
System.print(task.cancel("enough")) // expect: true
System.print(Fiber.new { task.await() }.try()) // expect: future was cancelled
System.print(task.state) // expect: 3
System.print(log) // expect: [future was cancelled, cleaned up]

// One that goes on has a result.
var stubborn = Async.spawn {
  Fiber.new { Async.sleep(1000) }.try()
  return "went on"
}
Async.sleep(1)
stubborn.cancel()
System.print(stubborn.await()) // expect: went on

// Before it began, it never begins.
var never = Async.spawn { log.add("never") }
never.cancel()
System.print(Fiber.new { never.await() }.try()) // expect: future was cancelled
System.print(log.count) // expect: 2

// What a fiber awaits is cancelled with it, as with asyncio's tasks.
var inner = Async.spawn { Async.sleep(1000) }
var outer = Async.spawn { inner.await() }
Async.sleep(1)
Async.sleep(1)
outer.cancel()
System.print(Fiber.new { outer.await() }.try()) // expect: future was cancelled
System.print(inner.state) // expect: 3
var job = Async.call("job", [1000])
var waiting = Async.spawn { Async.all([job]) }
Async.sleep(1)
waiting.cancel()
System.print(Fiber.new { waiting.await() }.try()) // expect: future was cancelled
System.print(job.state) // expect: 3

// A receiver that is cancelled takes nothing along.
var channel = Channel.new(1)
var receiver = Async.spawn { channel.receive() }
Async.sleep(1)
receiver.cancel()
Async.sleep(1)
channel.send("kept")
System.print(channel.receive()) // expect: kept
System.print(Fiber.new { receiver.await() }.try()) // expect: future was cancelled

// What others were asked is an error like any other, with its place.
var asked = Async.spawn { Async.sleep(1000) }
var awaits = Async.spawn { asked.await() }
Async.sleep(1)
asked.cancel()
System.print(Fiber.new { awaits.await() }.try()) // expect: future was cancelled
System.print(awaits.state) // expect: 2
System.print(awaits.errorTrace.contains("[main line ")) // expect: true

// Twice.
System.print(receiver.cancel()) // expect: false
