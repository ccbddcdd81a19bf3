Fn.new(1) // expect runtime error: Argument must be a function.
