var f
f = Fn.new {|n| f.call(n + 1) }
System.print(Fiber.new { f.call(0) }.try()) // expect: Stack overflow.
