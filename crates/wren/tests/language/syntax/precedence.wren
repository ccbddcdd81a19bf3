System.print(2 + 3 * 4) // expect: 14
System.print(20 - 3 * 4) // expect: 8
System.print(2 + 6 / 3) // expect: 4
System.print(-2.abs) // expect: -2
System.print(1 << 2 + 1) // expect: 8
System.print(6 & 3 | 8) // expect: 10
System.print(5 ^ 1 & 3) // expect: 4
System.print(1 < 2 == 2 < 3) // expect: true
System.print(false == 2 > 3) // expect: true
System.print(1 | 2 < 4) // expect: true
System.print(2 is Num == true) // expect: true
System.print(false && true || true) // expect: true
System.print(true || false && false) // expect: true
System.print(1..2 + 1) // expect: 1..3
System.print(!true || true) // expect: true
System.print((2 + 3) * 4) // expect: 20
System.print(~0 & 255) // expect: 255
