import "async" for Async, Channel

var channel = Channel.new(2)
var sent = []
var sender = Async.spawn {
  for (i in 1..5) {
    channel.send(i)
    sent.add(i)
  }
  channel.close()
}
Async.sleep(1)
System.print(sent) // expect: [1, 2]
System.print(channel.count) // expect: 2
System.print(channel.capacity) // expect: 2
var got = []
for (value in channel) got.add(value)
System.print(got) // expect: [1, 2, 3, 4, 5]
System.print(channel.isClosed) // expect: true
System.print(channel.receive()) // expect: null
System.print(Fiber.new { channel.send(1) }.try()) // expect: The channel is closed.
System.print(Fiber.new { channel.trySend(1) }.try()) // expect: The channel is closed.

// Values are the script's own objects, null among them.
class Point {
  construct new(x) { _x = x }
  x { _x }
}
var objects = Channel.new(2)
var point = Point.new(3)
objects.send(point)
objects.send(null)
objects.close()
System.print(objects.receive() == point) // expect: true
for (value in objects) System.print(value) // expect: null

// It's a sequence.
var numbers = Channel.new(8)
for (i in 1..4) numbers.send(i)
numbers.close()
System.print(numbers.map {|n| n * n }.toList) // expect: [1, 4, 9, 16]

// Without waiting.
var tried = Channel.new(1)
System.print(tried.tryReceive()) // expect: null
System.print(tried.trySend(1)) // expect: true
System.print(tried.trySend(2)) // expect: false
System.print(tried.tryReceive()) // expect: 1

// A channel for none: its sender waits until the value is received.
var rendezvous = Channel.new()
var log = []
Async.spawn {
  rendezvous.send("hello")
  log.add("received")
}
Async.sleep(1)
System.print(log) // expect: []
System.print(rendezvous.receive()) // expect: hello
Async.yield()
Async.yield()
System.print(log) // expect: [received]
// A sender that gave up has sent nothing.
var gone = Async.spawn { rendezvous.send("gone") }
Async.sleep(1)
gone.cancel()
Async.sleep(1)
Async.spawn { rendezvous.send("there") }
System.print(rendezvous.receive()) // expect: there

System.print(Fiber.new { Channel.new(-1) }.try()) // expect: A channel's capacity must be a whole number from 0 on, not -1.
System.print(Fiber.new { Channel.new("x") }.try()) // expect: A channel's capacity must be a whole number, not a string.
