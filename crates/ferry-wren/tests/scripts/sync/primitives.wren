import "async" for Async, Event, Lock, Semaphore, Queue

// Event.
var event = Event.new()
var woken = 0
for (i in 1..3) Async.spawn {
  event.wait()
  woken = woken + 1
}
Async.sleep(1)
System.print(woken) // expect: 0
event.set()
System.print(event.isSet) // expect: true
System.print(event.wait()) // expect: true
Async.sleep(1)
System.print(woken) // expect: 3
event.clear()
System.print(event.isSet) // expect: false

// Lock.
var lock = Lock.new()
var inside = 0
var most = 0
var work = Fn.new {
  lock.hold {
    inside = inside + 1
    if (inside > most) most = inside
    Async.sleep(5)
    inside = inside - 1
  }
}
Async.all((1..4).map { Async.spawn { work.call() } }.toList)
System.print(most) // expect: 1
System.print(lock.isLocked) // expect: false
System.print(Fiber.new { lock.release() }.try()) // expect: The lock is not acquired.
System.print(lock.tryAcquire()) // expect: true
System.print(lock.tryAcquire()) // expect: false
lock.release()
System.print(lock.hold { "held" }) // expect: held
System.print(Fiber.new { lock.hold { Fiber.abort("inside") } }.try()) // expect: inside
System.print(lock.isLocked) // expect: false
// One who is cancelled while he waits leaves the line, one who holds it lets go.
lock.acquire()
var line = Async.spawn { lock.hold { "never" } }
var next = Async.spawn { lock.hold { "next" } }
Async.sleep(1)
line.cancel()
lock.release()
System.print(next.await()) // expect: next
var holder = Async.spawn { lock.hold { Async.sleep(1000) } }
Async.sleep(1)
holder.cancel()
System.print(Fiber.new { holder.await() }.try()) // expect: future was cancelled
System.print(lock.isLocked) // expect: false

// Semaphore.
var semaphore = Semaphore.new(2)
System.print(semaphore.permits) // expect: 2
most = 0
Async.all((1..5).map {
  return Async.spawn {
    semaphore.hold {
      inside = inside + 1
      if (inside > most) most = inside
      Async.sleep(5)
      inside = inside - 1
    }
  }
}.toList)
System.print(most) // expect: 2
System.print(semaphore.tryAcquire()) // expect: true
semaphore.acquire()
System.print(semaphore.isLocked) // expect: true
System.print(semaphore.tryAcquire()) // expect: false
semaphore.release()
semaphore.release()
System.print(Fiber.new { Semaphore.new(0) }.try()) // expect: A semaphore's number of permits must be a whole number from 1 on, not 0.

// Queue.
var queue = Queue.new(2)
queue.put([1, "two", null])
System.print(queue.count) // expect: 1
queue.putNowait(2)
System.print(queue.isFull) // expect: true
System.print(Fiber.new { queue.putNowait(3) }.try()) // expect: The queue is full.
System.print(queue.get()) // expect: [1, two, null]
System.print(queue.getNowait()) // expect: 2
System.print(Fiber.new { queue.getNowait() }.try()) // expect: The queue is empty.
System.print(queue.isEmpty) // expect: true
System.print(Fiber.new { queue.put(Fiber.current) }.try()) // expect: a fiber can't cross languages
queue.taskDone()
queue.taskDone()
System.print(Fiber.new { queue.taskDone() }.try()) // expect: taskDone() called too many times
queue.join()
queue.put("last")
queue.shutdown()
System.print(queue.isShutDown) // expect: true
for (item in queue) System.print(item) // expect: last
System.print(Fiber.new { queue.get() }.try()) // expect: The queue is shut down.
System.print(Fiber.new { queue.put(1) }.try()) // expect: The queue is shut down.
System.print(Queue.new().maxsize) // expect: 1024

// By names.
System.print(Fiber.new { Event.named("of a test") }.try()) // expect: Event
Event.named("of a test").set()
System.print(Event.named("of a test").isSet) // expect: true
Event.named("of a test").clear()
System.print(Fiber.new { Lock.named("of a test") }.try()) // expect: 'of a test' names an Event already, not a Lock
System.print(Queue.named("queue of a test", 3).maxsize) // expect: 3
System.print(Queue.named("queue of a test").maxsize) // expect: 3
System.print(Fiber.new { Queue.named("queue of a test", 4) }.try()) // expect: 'queue of a test' names a Queue of 3 already, not of 4
System.print(Semaphore.named("semaphore of a test", 2).permits) // expect: 2
System.print(Lock.named("lock of a test")) // expect: Lock
