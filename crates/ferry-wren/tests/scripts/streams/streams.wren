import "async" for Async

var sum = 0
for (n in Async.stream("count", [5])) sum = sum + n
System.print(sum) // expect: 15
System.print(Async.stream("count", [3]).map {|n| n * 2 }.toList) // expect: [2, 4, 6]

var stream = Async.stream("count", [2])
System.print(stream.next()) // expect: 1
System.print(stream.next()) // expect: 2
System.print(stream.next()) // expect: null
System.print(stream.next()) // expect: null

var broken = Async.stream("breaks")
System.print(broken.next()) // expect: 1
System.print(Fiber.new { broken.next() }.try()) // expect: the stream broke
System.print(broken.next()) // expect: null

var closed = Async.stream("count", [100])
closed.next()
closed.close()
System.print(closed.next()) // expect: null

System.print(Fiber.new { Async.stream("count", ["x"]) }.try()) // expect: 'count' can't take these arguments: at [0]: an i64 is wanted, not the text "x"

// Several take turns.
var shared = Async.stream("count", [100])
var total = 0
Async.all((1..4).map {
  return Async.spawn {
    for (n in shared) {
      total = total + n
      Async.yield()
    }
  }
}.toList)
System.print(total) // expect: 5050
