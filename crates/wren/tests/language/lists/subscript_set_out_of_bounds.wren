[1, 2][2] = 3 // expect runtime error: Subscript out of bounds.
