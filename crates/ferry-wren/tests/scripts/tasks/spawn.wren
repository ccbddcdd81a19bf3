import "async" for Async

var seen = []
var task = Async.spawn {
  seen.add("begins")
  Async.sleep(10)
  seen.add("ends")
  return "result"
}
// It begins when this fiber waits.
System.print(seen) // expect: []
System.print(Async.await(task)) // expect: result
System.print(seen) // expect: [begins, ends]
System.print(task.await()) // expect: result
System.print(task) // expect: Task a fiber

// Others go on while one waits.
var turns = []
var slow = Async.spawn {
  Async.sleep(30)
  turns.add("slow")
}
var fast = Async.spawn {
  Async.sleep(10)
  turns.add("fast")
}
Async.sleep(20)
turns.add("main")
slow.await()
System.print(turns) // expect: [fast, main, slow]

// A function may have a parameter, which is null.
System.print(Async.spawn {|x| x }.await()) // expect: null
System.print(Fiber.new { Async.spawn {|a, b| a }.await() }.try()) // expect: A fiber's function takes one parameter at most.

// Tasks of tasks.
var outer = Async.spawn {
  var inner = Async.spawn { Async.spawn { 1 }.await() + 1 }
  return inner.await() + 1
}
System.print(outer.await()) // expect: 3
