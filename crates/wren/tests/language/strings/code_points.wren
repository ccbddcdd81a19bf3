for (c in "aø🙊") System.print(c)
// expect: a
// expect: ø
// expect: 🙊
System.print("aø🙊".codePoints.toList) // expect: [97, 248, 128586]
System.print("aø🙊".codePoints[1]) // expect: 248
System.print("aø🙊".codePoints[2]) // expect: -1
System.print("aø".bytes.toList) // expect: [97, 195, 184]
System.print("aø".bytes.count) // expect: 3
System.print("aø".codePoints.count) // expect: 2
System.print("aø".bytes[-1]) // expect: 184
System.print(String.fromCodePoint(65)) // expect: A
System.print(String.fromCodePoint(0x1f64a)) // expect: 🙊
System.print(String.fromByte(65)) // expect: A
System.print(String.fromByte(255).bytes.toList) // expect: [255]
