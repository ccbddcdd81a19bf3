// One that was called goes on after its caller has come to an end: nobody waits for what it gives.
var inner
var outer
outer = Fiber.new {
  inner = Fiber.new {
    System.print("inner")
    System.print(outer.transfer("from inner"))
    System.print("inner goes on")
  }
  System.print(inner.call())
  System.print("outer ends")
}
outer.call()
// expect: inner
// expect: from inner
// expect: outer ends
System.print(outer.isDone) // expect: true
inner.transfer("to inner")
// expect: to inner
// expect: inner goes on
System.print("not reached")
