// Priorities, timeouts, retries, arguments by name, progress. One job runs at a time.
import "async" for Async

System.print(Async.await(Async.call("named", {"a": 1, "b": 2}))) // expect: 3
System.print(Fiber.new { Async.await(Async.call("job", [1000], {"timeout": 20})) }.try()) // expect: timed out after 20ms
System.print(Async.await(Async.call("flaky", [2], {"retries": 2}))) // expect: 3
System.print(Fiber.new { Async.await(Async.call("flaky", [2], {"retries": 1})) }.try()) // expect: not yet
System.print(Fiber.new { Async.await(Async.call("later", [50, 1], {"timeout": 20})) }.try()) // expect: timed out after 20ms
System.print(Async.await(Async.call("later", [50, 1], {"timeout": 60}))) // expect: 1

var told = Async.call("told")
Async.sleep(5)
System.print(told.progress) // expect: half
told.await()
System.print(Async.call("double", [1]).progress) // expect: null

// A queue that is full parks the fiber that calls, and no other.
var calls = 0
var caller = Async.spawn {
  for (i in 1..6) {
    Async.call("job", [10])
    calls = i
  }
}
Async.sleep(1)
System.print(calls) // expect: 3
Async.sleep(10)
System.print(calls) // expect: 4
caller.await()
System.print(calls) // expect: 6

// What is more urgent comes first.
Async.sleep(100)
var order = []
var running = Async.call("job", [10])
var low = Async.call("job", [1], {"priority": -1}).then {|v| order.add("low") }
var high = Async.call("job", [1], {"priority": 5}).then {|v| order.add("high") }
Async.all([low, high])
System.print(order) // expect: [high, low]
