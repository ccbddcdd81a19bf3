// Many tasks that send, receive, wait for each other and cancel each other: nothing is lost, and all end.
import "async" for Async, Channel, Lock, Semaphore
import "random" for Random

var random = Random.new(7)
var channel = Channel.new(3)
var rendezvous = Channel.new()
var lock = Lock.new()
var semaphore = Semaphore.new(2)
var sent = 0
var received = 0
var inside = 0
var wrong = 0

var steps = [
  Fn.new {
    channel.send(1)
    sent = sent + 1
  },
  Fn.new {
    var value = Async.select([channel, rendezvous]).value
    received = received + value
  },
  Fn.new {
    var value = channel.receive()
    received = received + value
  },
  Fn.new {
    // It's over once it's received, so nothing of it is left when this is cancelled.
    rendezvous.send(1)
    sent = sent + 1
  },
  Fn.new { Async.sleep(random.int(20)) },
  Fn.new {
    lock.hold {
      inside = inside + 1
      if (inside != 1) wrong = wrong + 1
      var error = Fiber.new { Async.sleep(random.int(3)) }.try()
      inside = inside - 1
      if (error != null) Fiber.abort(error)
    }
  },
  Fn.new { semaphore.hold { Async.sleep(random.int(3)) } },
  Fn.new { Async.timeout(random.int(10)) { Async.sleep(random.int(10)) } },
  Fn.new { Async.call("later", [random.int(5), 1]).await() },
  Fn.new { Async.yield() }
]

var tasks = []
for (i in 1..120) {
  tasks.add(Async.spawn {
    for (j in 1..8) Fiber.new { steps[random.int(steps.count)].call() }.try()
  })
}
Async.spawn {
  for (i in 1..250) {
    random.sample(tasks).cancel()
    if (i % 5 == 0) Async.sleep(1)
  }
}
Async.sleep(200)
// Those who still wait for a channel are helped out.
while (!tasks.all {|task| task.state != 0 }) {
  for (task in tasks) task.cancel()
  Async.sleep(1)
}
while (true) {
  var left = channel.tryReceive()
  if (left == null) break
  received = received + left
}
System.print(wrong) // expect: 0
System.print(lock.isLocked) // expect: false
System.print(semaphore.permits) // expect: 2
System.print(rendezvous.count) // expect: 0
System.print(sent > 50) // expect: true
System.print(received - sent) // expect: 0
