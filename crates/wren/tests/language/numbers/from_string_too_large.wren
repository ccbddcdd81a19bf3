Num.fromString("1" * 400) // expect runtime error: Number literal is too large.
