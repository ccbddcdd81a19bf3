[1].swap(0, 1) // expect runtime error: Index 1 out of bounds.
