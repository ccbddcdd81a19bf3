System.print((
  7 // expect error line 1
))
