// Each value comes once.
import "async" for Async, Channel

var channel = Channel.new(3)
var sum = 0
var workers = (1..10).map {|i|
  return Async.spawn {
    for (n in channel) {
      Async.yield()
      sum = sum + n
    }
  }
}.toList
for (n in 1..1000) channel.send(n)
channel.close()
Async.all(workers)
System.print(sum) // expect: 500500
