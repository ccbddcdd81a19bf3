var a = Fn.new { b.call() } // expect error
