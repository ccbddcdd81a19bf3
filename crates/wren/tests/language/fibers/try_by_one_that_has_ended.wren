var inner
var outer
outer = Fiber.new {
  inner = Fiber.new {
    outer.transfer()
    Fiber.abort("nobody catches it") // expect runtime error: nobody catches it
  }
  inner.try()
}
outer.call()
System.print(outer.isDone) // expect: true
inner.transfer()
