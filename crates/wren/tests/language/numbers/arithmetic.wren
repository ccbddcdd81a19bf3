System.print(1 + 2) // expect: 3
System.print(5 - 7) // expect: -2
System.print(3 * 4) // expect: 12
System.print(8 / 3) // expect: 2.6666666666667
System.print(5 % 3) // expect: 2
System.print(-5 % 3) // expect: -2
System.print(5 % -3) // expect: 2
System.print(13.75 % 5) // expect: 3.75
System.print(1 / 0) // expect: infinity
System.print(-1 / 0) // expect: -infinity
System.print((0 / 0).isNan) // expect: true
System.print(-0) // expect: -0
System.print(0 - 0) // expect: 0
System.print(-(3)) // expect: -3
