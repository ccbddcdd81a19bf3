System.print(1 < 2) // expect: true
System.print(2 < 2) // expect: false
System.print(2 <= 2) // expect: true
System.print(3 > 2) // expect: true
System.print(2 >= 3) // expect: false
System.print(Num.nan < 1) // expect: false
System.print(0 < -0) // expect: false
