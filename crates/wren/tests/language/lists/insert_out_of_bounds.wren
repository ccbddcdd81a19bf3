[1].insert(2, 0) // expect runtime error: Index out of bounds.
