"abc"[1..3] // expect runtime error: Range end out of bounds.
