var a = 1
var b
System.print(a) // expect: 1
System.print(b) // expect: null
a = b = 3
System.print(a + b) // expect: 6
