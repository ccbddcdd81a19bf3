System.print(123.toString) // expect: 123
System.print(100000000000000) // expect: 1e+14
System.print(12345678901234) // expect: 12345678901234
System.print(0.1 + 0.2) // expect: 0.3
System.print(0.00001) // expect: 1e-05
System.print(1 / 3) // expect: 0.33333333333333
System.print(1.0e10) // expect: 10000000000
