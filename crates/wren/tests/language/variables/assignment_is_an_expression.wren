var a
System.print(a = 5) // expect: 5
System.print((a = 6) + a) // expect: 12
