// in order
import "async" for Async

var metrics = Async.metrics
System.print(metrics["spawned"]) // expect: 1
System.print(metrics["tasks"]) // expect: 1
Async.spawn { 1 }.await()
var failed = Async.spawn { Fiber.abort("x") }
Fiber.new { failed.await() }.try()
Async.call("add", [1, 2]).await()
Async.spawn { 1 }.then {|v| v }.await()
metrics = Async.metrics
System.print(metrics["spawned"]) // expect: 5
System.print(metrics["completed"]) // expect: 3
System.print(metrics["failed"]) // expect: 1
System.print(metrics["callbacks"]) // expect: 1
System.print(metrics["jobs"][0]["name"]) // expect: add
System.print(metrics["jobs"][0]["done"]) // expect: 1
System.print(metrics["workers"]) // expect: 1
