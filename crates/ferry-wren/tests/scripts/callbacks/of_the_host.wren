// A function as an argument: the host calls it.
import "async" for Async

System.print(Async.await(Async.call("call twice", [Fn.new {|n| n * 3 }, 2]))) // expect: 18
System.print(Async.await(Async.call("call twice", [Fn.new {|n|
  Async.sleep(5)
  return n + 1
}, 2]))) // expect: 4
System.print(Fiber.new {
  Async.await(Async.call("call twice", [Fn.new {|n| Fiber.abort("in the callback") }, 2]))
}.try()) // expect: in the callback

// Names of the script's own, for all who have the pool.
Async.register("triple") {|n| n * 3 }
System.print(Async.await(Async.call("triple", [14]))) // expect: 42
System.print(Fiber.new { Async.register("triple") {|n| n } }.try()) // expect: another job is registered as 'triple' already: unregister that first, or take another name
System.print(Async.unregister("triple")) // expect: true
System.print(Async.unregister("triple")) // expect: false
System.print(Fiber.new { Async.call("triple", [14]) }.try().startsWith("no job is registered as 'triple'")) // expect: true
