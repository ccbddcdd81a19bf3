System.print(Num.fromString("123") == 123) // expect: true
System.print(Num.fromString("-123") == -123) // expect: true
System.print(Num.fromString("-0") == -0) // expect: true
System.print(Num.fromString("12.34")) // expect: 12.34
System.print(Num.fromString("-0.0001")) // expect: -0.0001
System.print(Num.fromString(" 12 ")) // expect: 12
System.print(Num.fromString("1e3")) // expect: 1000
System.print(Num.fromString("0x10")) // expect: 16
System.print(Num.fromString("test1")) // expect: null
System.print(Num.fromString("")) // expect: null
System.print(Num.fromString("1.2prefix")) // expect: null
