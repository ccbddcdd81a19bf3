// An error is what it was, also an object.
import "async" for Async

class Problem {
  construct new(code) { _code = code }
  code { _code }
}
var problem = Problem.new(7)
var task = Async.spawn { Fiber.abort(problem) }
var error = Fiber.new { task.await() }.try()
System.print(error == problem) // expect: true
System.print(error.code) // expect: 7
System.print(task.error == problem) // expect: true
System.print(task.errorTrace.contains("[main line 9]")) // expect: true
System.print(Fiber.new { Async.all([task]) }.try() == problem) // expect: true

var again = Async.spawn { Async.call("fail", ["from the host"]).await() }
Fiber.new { again.await() }.try()
System.print(again.error) // expect: from the host
System.print(again.errorTrace.split("\n")[0]) // expect: from the host
