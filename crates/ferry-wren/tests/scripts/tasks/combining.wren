import "async" for Async

var after = Fn.new {|time, value|
  return Async.spawn {
    Async.sleep(time)
    return value
  }
}
var failing = Fn.new {|time, error|
  return Async.spawn {
    Async.sleep(time)
    Fiber.abort(error)
  }
}

System.print(Async.all([after.call(20, "a"), after.call(10, "b"), Async.call("double", [1])])) // expect: [a, b, 2]
System.print(Async.all([])) // expect: []
var slow = after.call(50, "slow")
System.print(Fiber.new { Async.all([slow, failing.call(5, "broke")]) }.try()) // expect: broke
// The others go on.
System.print(slow.await()) // expect: slow

System.print(Async.any([failing.call(1, "x"), after.call(10, "any"), after.call(5000, "never")])) // expect: any
System.print(Fiber.new { Async.any([failing.call(1, "x"), failing.call(2, "y")]) }.try()) // expect: all 2 tasks failed: x; y
System.print(Fiber.new { Async.any([failing.call(1, "alone")]) }.try()) // expect: alone

System.print(Async.race([after.call(20, "second"), after.call(10, "first")])) // expect: first
System.print(Fiber.new { Async.race([after.call(20, "second"), failing.call(10, "failed first")]) }.try()) // expect: failed first

var cancelled = after.call(1000, "never")
cancelled.cancel()
var ends = Async.settle([after.call(5, "v"), failing.call(1, "e"), cancelled])
System.print(ends[0]["state"]) // expect: 1
System.print(ends[0]["value"]) // expect: v
System.print(ends[1]["state"]) // expect: 2
System.print(ends[1]["error"]) // expect: e
System.print(ends[2]["state"]) // expect: 3
System.print(ends[2]["error"]) // expect: future was cancelled

// By numbers as well.
System.print(Async.all([after.call(5, 1).id, after.call(1, 2).id])) // expect: [1, 2]
