import "async" for Async

var log = []
var result = Async.scope {|scope|
  scope.spawn {
    Async.sleep(20)
    log.add("first")
  }
  scope.spawn {
    Async.sleep(10)
    log.add("second")
    scope.spawn {
      Async.sleep(30)
      log.add("third")
    }
  }
  log.add("body")
  return "of the body"
}
System.print(result) // expect: of the body
System.print(log) // expect: [body, second, first, third]

// The first error cancels the others, the body among them, and is the scope's.
log.clear()
System.print(Fiber.new {
  Async.scope {|scope|
    scope.spawn {
      log.add(Fiber.new { Async.sleep(1000) }.try())
    }
    scope.spawn {
      Async.sleep(10)
      Fiber.abort("broke")
    }
    Async.sleep(1000)
    log.add("never")
  }
}.try()) // expect: broke
System.print(log) // expect: [future was cancelled]

System.print(Fiber.new {
  Async.scope {|scope|
    scope.spawn {
      Async.sleep(1)
      Fiber.abort("one")
    }
    scope.spawn {
      Fiber.new { Async.sleep(1000) }.try()
      Fiber.abort("two")
    }
    Async.sleep(1000)
  }
}.try()) // expect: 2 tasks of the scope failed: one; two

// One that comes late and fails ends the scope at once.
var long
System.print(Fiber.new {
  Async.scope {|scope|
    long = scope.spawn { Async.sleep(100000) }
    scope.spawn {
      Async.sleep(5)
      scope.spawn { Fiber.abort("late") }
    }
  }
}.try()) // expect: late
System.print(long.state) // expect: 3

// When it's over, it takes nothing.
var kept
Async.scope {|scope| kept = scope }
System.print(Fiber.new { kept.spawn { 1 } }.try()) // expect: The scope is over, and takes no more tasks.

// The fiber that waits for it is cancelled: so are all in it.
var inside
var outer = Async.spawn {
  Async.scope {|scope|
    inside = scope.spawn { Async.sleep(1000) }
    Async.sleep(1000)
  }
}
Async.sleep(1)
outer.cancel()
System.print(Fiber.new { outer.await() }.try()) // expect: future was cancelled
System.print(inside.state) // expect: 3
