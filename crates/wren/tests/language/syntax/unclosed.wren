System.print((1 + 2)
// expect error line 3
