import "async" for Async

var log = []
var task = Async.call("double", [4])
var chain = task.then {|v| v + 1 }.then {|v|
  Async.sleep(5)
  return v * 10
}
System.print(chain.await()) // expect: 90

var failed = Async.call("failing job")
var caught = failed.then {|v| log.add("never") }.catch {|e|
  log.add(e)
  return "instead"
}.finally { log.add("finally") }
System.print(caught.await()) // expect: instead
System.print(log) // expect: [the job failed, finally]

// A callback's error is its task's; finally keeps the outcome, unless it fails itself.
System.print(Fiber.new { task.then {|v| Fiber.abort("in then") }.await() }.try()) // expect: in then
System.print(task.finally { "ignored" }.await()) // expect: 8
System.print(Fiber.new { task.finally { Fiber.abort("in finally") }.await() }.try()) // expect: in finally
System.print(Fiber.new { failed.finally {}.await() }.try()) // expect: the job failed

// A task that a callback gives is waited for.
System.print(task.then {|v| Async.call("later", [5, v]) }.await()) // expect: 8
System.print(task.then {|v| Async.spawn { v + 100 } }.await()) // expect: 108

// catch leaves a value alone.
System.print(task.catch {|e| "no" }.await()) // expect: 8

// A function without a parameter serves as well.
System.print(task.then { "none" }.await()) // expect: none

System.print(Fiber.new { task.then(1) }.try()) // expect: Argument 1 must be a function.
