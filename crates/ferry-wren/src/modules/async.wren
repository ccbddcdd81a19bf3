// The module "async": what a script does with others at the same time. What waits parks its own fiber; others go on.

class Async {
  // Jobs: functions of the host's, of Python's, and of other scripts, by name.

  static call(name) { call(name, [], null) }
  static call(name, arguments) { call(name, arguments, null) }
  foreign static call(name, arguments, options)

  foreign static await(task)
  foreign static isReady(task)
  foreign static get(task)
  foreign static cancel(task)
  foreign static getState(task)
  foreign static cleanup(task)

  static stream(name) { stream(name, []) }
  foreign static stream(name, arguments)

  foreign static register(name, function)
  foreign static unregister(name)

  // Fibers as tasks.

  foreign static spawn(function)
  foreign static scope(function)
  foreign static all(tasks)
  foreign static any(tasks)
  foreign static race(tasks)
  foreign static settle(tasks)

  static select(sources) {
    var first = select_(sources)
    return Selected.new_(first[0], sources[first[0]], first[1], first[2])
  }
  foreign static select_(sources)

  // Time, in milliseconds.

  foreign static sleep(milliseconds)
  foreign static timeout(milliseconds, function)
  foreign static yield()

  foreign static metrics
}

// A job, or a fiber of this script's.
foreign class Task {
  foreign await()
  foreign isReady
  foreign get()
  foreign cancel()
  foreign cancel(message)
  foreign state
  foreign cleanup()

  foreign id
  foreign name
  foreign error
  foreign errorTrace
  foreign progress

  foreign then(function)
  foreign catch(function)
  foreign finally(function)

  toString { "Task %(name)" }
}

// Tasks that end together.
foreign class Scope {
  foreign spawn(function)
}

// What was first of several.
class Selected {
  construct new_(index, source, value, isEnd) {
    _index = index
    _source = source
    _value = value
    _isEnd = isEnd
  }

  index { _index }
  source { _source }
  value { _value }
  isEnd { _isEnd }
}

// Hands values of this script's from fiber to fiber.
foreign class Channel is Sequence {
  construct new() {}
  construct new(capacity) {}

  foreign send(value)
  foreign trySend(value)
  foreign receive()
  foreign tryReceive()
  foreign close()
  foreign isClosed
  foreign count
  foreign capacity

  foreign advance_()
  iterate(last) { advance_() }
  iteratorValue(item) { item[0] }
  toString { "Channel" }
}

// Several values over time.
foreign class Stream is Sequence {
  foreign next()
  foreign close()

  foreign advance_()
  iterate(last) { advance_() }
  iteratorValue(item) { item[0] }
  toString { "Stream" }
}

foreign class Event {
  construct new() {}
  foreign static named(name)

  foreign isSet
  foreign set()
  foreign clear()
  foreign wait()
  toString { isSet ? "Event (set)" : "Event" }
}

foreign class Lock {
  construct new() {}
  foreign static named(name)

  foreign isLocked
  foreign acquire()
  foreign tryAcquire()
  foreign release()
  toString { isLocked ? "Lock (locked)" : "Lock" }

  hold(function) {
    acquire()
    var fiber = Fiber.new { function.call() }
    var result = fiber.try()
    release()
    if (fiber.error != null) Fiber.abort(fiber.error)
    return result
  }
}

foreign class Semaphore {
  construct new() {}
  construct new(permits) {}
  static named(name) { named(name, null) }
  foreign static named(name, permits)

  foreign isLocked
  foreign permits
  foreign acquire()
  foreign tryAcquire()
  foreign release()
  toString { "Semaphore" }

  hold(function) {
    acquire()
    var fiber = Fiber.new { function.call() }
    var result = fiber.try()
    release()
    if (fiber.error != null) Fiber.abort(fiber.error)
    return result
  }
}

// Hands plain values on, to Rust and Python too.
foreign class Queue is Sequence {
  construct new() {}
  construct new(maxsize) {}
  static named(name) { named(name, null) }
  foreign static named(name, maxsize)

  foreign put(value)
  foreign putNowait(value)
  foreign get()
  foreign getNowait()
  foreign taskDone()
  foreign join()
  foreign shutdown()
  foreign isShutDown
  foreign count
  foreign maxsize
  isEmpty { count == 0 }
  isFull { count >= maxsize }

  foreign advance_()
  iterate(last) { advance_() }
  iteratorValue(item) { item[0] }
  toString { "Queue" }
}

// A function of another language's.
foreign class Callback {
  foreign name
  foreign call_(arguments)
  call() { call_([]) }
  call(a) { call_([a]) }
  call(a, b) { call_([a, b]) }
  call(a, b, c) { call_([a, b, c]) }
  call(a, b, c, d) { call_([a, b, c, d]) }
  toString { "Callback %(name)" }
}

// An object of another language's, to be handed on.
foreign class Foreign {
  foreign kind
  toString { "Foreign (%(kind))" }
}
