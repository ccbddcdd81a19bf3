// unwinds
// A panic of the host's is an error of who waits, and the machine goes on.
import "async" for Async

System.print(Fiber.new { Async.await(Async.call("panicking job")) }.try()) // expect: panicked: the job panicked
System.print(Fiber.new { Async.await(Async.call("panic")) }.try()) // expect: panicked: the function panicked
System.print(Async.await(Async.call("add", [1, 2]))) // expect: 3
