import "async" for Async, Event, Task, Channel

var echo = Fn.new {|value| Async.await(Async.call("echo", [value])) }
System.print(echo.call(null)) // expect: null
System.print(echo.call(true)) // expect: true
System.print(echo.call(1.5)) // expect: 1.5
System.print(echo.call(-7)) // expect: -7
System.print(echo.call(9007199254740992) == 9007199254740992) // expect: true
System.print(echo.call(1e300)) // expect: 1e+300
System.print(echo.call(1/0)) // expect: infinity
System.print(1 / echo.call(-0)) // expect: -infinity
System.print(echo.call("text")) // expect: text
System.print(echo.call("\xff\xfe").bytes.toList) // expect: [255, 254]
System.print(echo.call([1, [2, {"three": [4]}]])) // expect: [1, [2, {three: [4]}]]
System.print(echo.call({"a": 1, "b": null})["a"]) // expect: 1
System.print(Async.await(Async.call("bytes")).bytes.toList) // expect: [255, 0]

// Copies, but for objects that are shared.
var list = [1]
System.print(echo.call(list) == list) // expect: false
var event = Event.new()
var same = echo.call(event)
System.print(same is Event) // expect: true
same.set()
System.print(event.isSet) // expect: true
System.print(Async.await(Async.call("event")).isSet) // expect: true
System.print(Async.await(Async.call("kind", [event]))) // expect: Event
var late = Event.new()
Async.call("set", [late])
late.wait()
var task = Async.spawn {
  Async.sleep(5)
  return [1, 2]
}
var crossed = echo.call(task)
System.print(crossed is Task) // expect: true
System.print(crossed.await()) // expect: [1, 2]
var channel = Channel.new(1)
System.print(echo.call(channel) == channel) // expect: true
System.print(Async.await(Async.call("kind", [channel]))) // expect: an object of a script

// What can't cross.
class Own {
  construct new() {}
}
System.print(Fiber.new { echo.call(Own.new()) }.try()) // expect: Argument at [0]: an object of the class Own can't cross languages
System.print(Fiber.new { echo.call(1..2) }.try()) // expect: Argument at [0]: a range can't cross languages
System.print(Fiber.new { echo.call([1, Own]) }.try()) // expect: Argument at [0][1]: a class can't cross languages
System.print(Fiber.new { echo.call({1: 2}) }.try()) // expect: Argument at [0]: a key must be a string of text, not a number
System.print(Fiber.new { echo.call({"a": {"b": Fiber.current}}) }.try()) // expect: Argument at [0].a.b: a fiber can't cross languages
var loop = []
loop.add(loop)
System.print(Fiber.new { echo.call(loop) }.try().endsWith("it's too deep: at most 64 lists and maps may lie within each other, and one that contains itself has no end")) // expect: true
System.print(Fiber.new { Async.await(Async.call("big")) }.try()) // expect: the whole number 9223372036854775807 is none of Wren's, which are exact up to 9007199254740992: hand it on as text
