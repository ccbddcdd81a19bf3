System.print(-3.5.abs) // expect: -3.5
System.print((-3.5).abs) // expect: 3.5
System.print(1.2.ceil) // expect: 2
System.print(1.8.floor) // expect: 1
System.print(1.5.round) // expect: 2
System.print((-1.5).round) // expect: -2
System.print((-1.7).truncate) // expect: -1
System.print((1.25).fraction) // expect: 0.25
System.print((-1.25).fraction) // expect: -0.25
System.print(9.sqrt) // expect: 3
System.print(27.cbrt) // expect: 3
System.print(2.pow(10)) // expect: 1024
System.print(0.sin) // expect: 0
System.print(0.cos) // expect: 1
System.print(0.tan) // expect: 0
System.print(1.atan(1) == Num.pi / 4) // expect: true
System.print(1.exp) // expect: 2.718281828459
System.print(1.log) // expect: 0
System.print(8.log2) // expect: 3
System.print(4.min(7)) // expect: 4
System.print(4.max(7)) // expect: 7
System.print(12.clamp(0, 10)) // expect: 10
System.print((-2).clamp(0, 10)) // expect: 0
System.print((-7).sign) // expect: -1
System.print(0.sign) // expect: 0
System.print(3.isInteger) // expect: true
System.print(3.5.isInteger) // expect: false
System.print((1 / 0).isInfinity) // expect: true
System.print((1 / 0).isInteger) // expect: false
System.print(Num.nan.isInteger) // expect: false
System.print(1.isNan) // expect: false
System.print(1.type) // expect: Num
