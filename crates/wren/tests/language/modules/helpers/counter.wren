// nontest
System.print("counter is loaded")
class Counter {
  static next { __n = (__n || 0) + 1 }
}
var Shared = [1]
