List.filled(1e12, 0) // expect runtime error: Out of memory.
