// What the programs beside_*.py call.
import "async" for Async, Event

Async.register("echo") {|value| value }
Async.register("fail") {|text| Fiber.abort(text) }
Async.register("double") { Fn.new {|n| n * 2 } }
Async.register("task") {|milliseconds|
  return Async.spawn {
    Async.sleep(milliseconds)
    return "of a task"
  }
}

// Python's functions, called from here.
Async.register("ask") {|name, value| Async.await(Async.call(name, [value])) }
Async.register("tell") {|name, value|
  var task = Async.call(name, [value])
  return Fiber.new { task.await() }.try()
}

// One that is cancelled, and cleans up; and one that cancels Python's.
Async.register("careful") {
  Event.named("begun").set()
  var error = Fiber.new { Event.named("never").wait() }.try()
  Async.sleep(1)
  if (error == "future was cancelled") Event.named("cleaned up").set()
  Fiber.abort(error)
}
Async.register("impatient") {|name|
  var task = Async.call(name, [null])
  Event.named("coroutine begun").wait()
  task.cancel("enough")
  return Fiber.new { task.await() }.try()
}
