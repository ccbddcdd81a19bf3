[1, 2]["0"] = 3 // expect runtime error: Subscript must be a number.
