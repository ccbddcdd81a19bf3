import "async" for Async, Task

// The seed's words.
System.print(Fiber.new { Async.await(123456789) }.try()) // expect: future not found
System.print(Fiber.new { Async.get(0) }.try()) // expect: future not found
System.print(Fiber.new { Async.get(-1) }.try()) // expect: future not found
System.print(Fiber.new { Async.get(1.5) }.try()) // expect: future not found
System.print(Fiber.new { Async.isReady(123456789) }.try()) // expect: future not found
System.print(Fiber.new { Async.cancel(123456789) }.try()) // expect: future not found
System.print(Fiber.new { Async.getState(123456789) }.try()) // expect: future not found
System.print(Fiber.new { Async.cleanup(123456789) }.try()) // expect: future not found
var task = Async.call("job", [10])
System.print(Fiber.new { Async.get(task) }.try()) // expect: future not ready
System.print(Fiber.new { Async.cleanup(task) }.try()) // expect: future not ready
task.cancel()
System.print(Fiber.new { Async.await(task) }.try()) // expect: future was cancelled

// Ours.
System.print(Fiber.new { Async.await("task") }.try()) // expect: A Task or the id of one is wanted, not a string.
System.print(Fiber.new { Async.await(null) }.try()) // expect: A Task or the id of one is wanted, not null.
System.print(Fiber.new { Async.all([task, true]) }.try()) // expect: Item 1 must be a Task or the id of one, not a bool.
System.print(Fiber.new { Async.all(task) }.try()) // expect: Argument 1 must be a list.
System.print(Fiber.new { Async.call("nowhere") }.try().startsWith("no job is registered as 'nowhere'; registered are: 'add'")) // expect: true
System.print(Fiber.new { Async.call(1) }.try()) // expect: Argument 1 must be a string.
System.print(Fiber.new { Async.call("add", 1) }.try()) // expect: Arguments must be a list, or a map for those by name, not a number.
System.print(Fiber.new { Async.await(Async.call("add", [1])) }.try()) // expect: job 'add' can't take these arguments: a tuple of size 2 is wanted, not 1 values
System.print(Fiber.new { Async.await(Async.call("double", ["x"])) }.try()) // expect: 'double' can't take these arguments: at [0]: a f64 is wanted, not the text "x"
System.print(Fiber.new { Async.call("add", [1, 2], 3) }.try()) // expect: Options must be a map, not a number.
System.print(Fiber.new { Async.call("add", [1, 2], {1: 2}) }.try()) // expect: The names of options must be strings.
System.print(Fiber.new { Async.call("add", [1, 2], {"prio": 2}) }.try()) // expect: There is no option 'prio'; there are 'priority', 'timeout' and 'retries'.
System.print(Fiber.new { Async.call("add", [1, 2], {"priority": 200}) }.try()) // expect: The option 'priority' must be a whole number from -128 to 127.
System.print(Fiber.new { Async.call("add", [1, 2], {"timeout": "long"}) }.try()) // expect: The option 'timeout' must be a number of milliseconds, not a string.
System.print(Fiber.new { Async.call("add", [1, 2], {"timeout": -1}) }.try()) // expect: The option 'timeout' must be a number of milliseconds from 0 on, not -1.
System.print(Fiber.new { Async.call("add", [1, 2], {"retries": 0.5}) }.try()) // expect: The option 'retries' must be a whole number from 0 on.
System.print(Fiber.new { Async.call("double", [1], {"priority": 1}) }.try()) // expect: 'double' is a function of the script's own loop, which has no options but 'timeout'.
System.print(Fiber.new { Async.stream("nowhere") }.try()) // expect: no stream is registered as 'nowhere'; registered are: 'breaks', 'count'
System.print(Fiber.new { Async.sleep("x") }.try()) // expect: The time to sleep must be a number of milliseconds, not a string.
System.print(Fiber.new { Async.timeout(-1) { 1 } }.try()) // expect: The time of a timeout must be a number of milliseconds from 0 on, not -1.
System.print(Fiber.new { Async.spawn(1) }.try()) // expect: Argument 1 must be a function.
System.print(Fiber.new { Async.any([]) }.try()) // expect: Async.any needs a task at least.
System.print(Fiber.new { Async.race([]) }.try()) // expect: Async.race needs a task at least.
System.print(Fiber.new { Async.select([]) }.try()) // expect: Async.select needs something to wait for.
System.print(Fiber.new { Async.select([1]) }.try()) // expect: Item 0 must be a Task, a Channel, an Event or a Queue, not a number.
System.print(Fiber.new { Task.new() }.try()) // expect: Task metaclass does not implement 'new()'.
