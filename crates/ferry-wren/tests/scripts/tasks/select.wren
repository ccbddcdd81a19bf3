import "async" for Async, Channel, Event, Queue

var channel = Channel.new(4)
var task = Async.spawn {
  Async.sleep(20)
  return "task"
}
Async.spawn {
  Async.sleep(10)
  channel.send("item")
}
var first = Async.select([channel, task])
System.print(first.index) // expect: 0
System.print(first.value) // expect: item
System.print(first.source == channel) // expect: true
System.print(first.isEnd) // expect: false
first = Async.select([channel, task])
System.print([first.index, first.value]) // expect: [1, task]

// The earlier one comes first, and the other loses nothing.
channel.send(1)
var other = Channel.new(1)
other.send(2)
System.print(Async.select([other, channel]).value) // expect: 2
System.print(channel.count) // expect: 1
System.print(channel.receive()) // expect: 1

channel.close()
first = Async.select([channel])
System.print([first.value, first.isEnd]) // expect: [null, true]

var event = Event.new()
var queue = Queue.new(1)
Async.spawn {
  Async.sleep(1)
  event.set()
}
System.print(Async.select([queue, event]).index) // expect: 1
queue.put("plain")
System.print(Async.select([queue, Channel.new()]).value) // expect: plain

System.print(Fiber.new { Async.select([Async.call("failing job")]) }.try()) // expect: the job failed
