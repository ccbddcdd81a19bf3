// in order
import "async" for Async

var log = []
var task = Async.spawn {
  Async.sleep(10)
  return "v"
}
for (i in 1..5) task.then {|v| log.add(i) }
task.await()
Async.yield()
System.print(log) // expect: [1, 2, 3, 4, 5]
