import "async" for Async, Channel

var channel = Channel.new(1)
for (i in 1..3) Async.spawn { channel.receive() }
var chain = Async.spawn { channel.receive() }.then {|v| v }
System.print("main is done") // expect: main is done
// expect waiting: 5
