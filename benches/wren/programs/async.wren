import "async" for Async

class Host {
  foreign static add(a, b)
}

class Bench {
  // An async method of the host's, as mlua's functions are.
  static method(count) {
    for (i in 0...count) {
      if (Host.add(i, 1) != i + 1) Fiber.abort("wrong")
    }
  }

  // Call, await and clean up, one after another.
  static serial(name, count) {
    for (i in 0...count) {
      var task = Async.call(name, [i, 1])
      if (Async.await(task) != i + 1) Fiber.abort("wrong")
      Async.cleanup(task)
    }
  }

  // The same in many fibers at once.
  static fibers(name, fibers, count) {
    var tasks = []
    for (i in 0...fibers) tasks.add(Async.spawn { serial(name, count) })
    Async.all(tasks)
  }

  static sleepers(fibers, milliseconds) {
    var tasks = []
    for (i in 0...fibers) tasks.add(Async.spawn { Async.sleep(milliseconds) })
    Async.all(tasks)
  }
}
