// Errors that nobody looks at are told.
import "async" for Async

Async.spawn { Fiber.abort("unseen") } // expect unseen: unseen
var seen = Async.spawn { Fiber.abort("seen") }
System.print(Fiber.new { seen.await() }.try()) // expect: seen
var looked = Async.spawn { Fiber.abort("looked at") }
Async.sleep(1)
System.print(looked.error) // expect: looked at
var caught = Async.spawn { Fiber.abort("caught") }.catch {|e| null }
caught.await()
