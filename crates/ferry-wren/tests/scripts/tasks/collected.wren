// A fiber that waits is kept by its task, whoever else has it.
import "async" for Async, Channel

var channel = Channel.new(1)
Async.spawn {
  var fiber = Fiber.new {
    var text = "kept " + channel.receive()
    System.print(text)
  }
  fiber.call()
}
Async.yield()
for (i in 1..20000) [1, 2, 3]
System.gc()
channel.send("alive") // expect: kept alive
Async.sleep(1)
System.gc()
