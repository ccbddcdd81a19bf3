class Caller {
  static call(f) { f.call() }
  static call(a, f) { f.call(a) }
}
System.print(Caller.call { "block" }) // expect: block
System.print(Caller.call(3) {|n| n + 1 }) // expect: 4
System.print(Caller.call(4) {|n|
  var m = n * 2
  return m
}) // expect: 8
