// in order
// An error in one of many that are ready at once is that one's alone.
import "async" for Async, Event

var event = Event.new()
var log = []
var tasks = (1..5).map {|i|
  return Async.spawn {
    event.wait()
    if (i == 3) Fiber.abort("third")
    log.add(i)
  }
}.toList
Async.yield()
event.set()
var ends = Async.settle(tasks)
System.print(log) // expect: [1, 2, 4, 5]
System.print(ends.map {|end| end["state"] }.toList) // expect: [1, 1, 2, 1, 1]
System.print(ends[2]["error"]) // expect: third
