var f
f = Fn.new { f.call() } // expect runtime error: Stack overflow.
f.call()
