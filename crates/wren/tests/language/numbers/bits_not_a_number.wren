1 & false // expect runtime error: Right operand must be a number.
