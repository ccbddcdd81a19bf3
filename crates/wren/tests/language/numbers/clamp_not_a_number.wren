2.clamp(null, 1) // expect runtime error: Min value must be a number.
