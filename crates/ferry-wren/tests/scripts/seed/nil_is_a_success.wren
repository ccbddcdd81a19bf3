import "async" for Async

var nothing = Async.call("nothing")
System.print(nothing.await()) // expect: null
System.print(nothing.state) // expect: 1
var fiber = Async.spawn {}
System.print(fiber.await()) // expect: null
System.print(fiber.state) // expect: 1
System.print(Async.any([Async.spawn {}])) // expect: null
