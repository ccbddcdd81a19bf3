if (true) var a = 1 // expect error
