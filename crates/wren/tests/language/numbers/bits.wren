System.print(12 & 10) // expect: 8
System.print(12 | 10) // expect: 14
System.print(12 ^ 10) // expect: 6
System.print(~0) // expect: 4294967295
System.print(~1) // expect: 4294967294
System.print(1 << 4) // expect: 16
System.print(256 >> 4) // expect: 16
System.print(0xffffffff & 0xffffffff) // expect: 4294967295
System.print(0xaaaaaaaa | 0x55555555) // expect: 4294967295
System.print(1.9 & 3.9) // expect: 1
