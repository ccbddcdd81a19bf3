// The seven methods of the seed, by tasks and by bare numbers.
import "async" for Async, Task

var task = Async.call("job", [10])
System.print(task is Task) // expect: true
System.print(Async.isReady(task)) // expect: false
System.print(Async.getState(task)) // expect: 0
System.print(Async.await(task)) // expect: 10
System.print(Async.isReady(task)) // expect: true
System.print(Async.get(task)) // expect: 10
System.print(Async.getState(task)) // expect: 1
System.print(Async.cancel(task)) // expect: false
System.print(Async.cleanup(task)) // expect: null

var id = Async.call("job", [5]).id
System.print(id is Num) // expect: true
System.print(Async.isReady(id)) // expect: false
System.print(Async.getState(id)) // expect: 0
System.print(Async.await(id)) // expect: 5
System.print(Async.get(id)) // expect: 5
System.print(Async.isReady(id)) // expect: true
System.print(Async.cleanup(id)) // expect: null
System.print(Fiber.new { Async.get(id) }.try()) // expect: future not found

var fiber = Async.spawn { "of a fiber" }
var number = fiber.id
System.print(Async.await(number)) // expect: of a fiber
Async.cleanup(number)
System.print(Fiber.new { Async.await(number) }.try()) // expect: future not found
System.print(fiber.get()) // expect: of a fiber

var ready = Async.call("double", [4])
System.print(ready.state) // expect: 1
System.print(Async.get(ready.id)) // expect: 8
