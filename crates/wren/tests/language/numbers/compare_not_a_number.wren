1 < null // expect runtime error: Right operand must be a number.
