// A loop that asks over and over gets there, as others have a turn: fibers, functions of the host's, jobs.
import "async" for Async

var turns = 0
var fiber = Async.spawn {
  for (i in 1..5) Async.yield()
  return "fiber"
}
while (!Async.isReady(fiber)) turns = turns + 1
System.print(turns > 2) // expect: true
System.print(Async.get(fiber)) // expect: fiber

var job = Async.call("add", [1, 2])
while (!Async.isReady(job.id)) turns = turns + 1
System.print(Async.get(job)) // expect: 3
var slow = Async.call("yields", [3])
while (!slow.isReady) turns = turns + 1
System.print(slow.get()) // expect: 3
