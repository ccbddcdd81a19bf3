true ? 1 // expect error
