System.print(true) // expect: true
System.print(false) // expect: false
System.print(null) // expect: null
System.print(0) // expect: 0
System.print(1234) // expect: 1234
System.print(-5678) // expect: -5678
System.print(3.14159) // expect: 3.14159
System.print(1.0) // expect: 1
System.print(-12.34) // expect: -12.34
System.print(0.0314159e02) // expect: 3.14159
System.print(0.0314159e+02) // expect: 3.14159
System.print(314.159e-02) // expect: 3.14159
System.print(0xcaffe2) // expect: 13303778
System.print(0x0) // expect: 0
System.print(0xFF) // expect: 255
System.print("text") // expect: text
System.print("") // expect: 
