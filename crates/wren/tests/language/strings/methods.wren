System.print("abc".contains("bc")) // expect: true
System.print("abc".contains("cb")) // expect: false
System.print("abc".startsWith("ab")) // expect: true
System.print("abc".endsWith("bc")) // expect: true
System.print("abc".endsWith("abcd")) // expect: false
System.print("abcabc".indexOf("c")) // expect: 2
System.print("abcabc".indexOf("c", 3)) // expect: 5
System.print("abc".indexOf("z")) // expect: -1
System.print("abcabc".indexOf("a", -2)) // expect: -1
System.print("a,b,,c".split(",")) // expect: [a, b, , c]
System.print("abc".split("x")) // expect: [abc]
System.print("banana".replace("an", "AN")) // expect: bANANa
System.print("banana".replace("x", "y")) // expect: banana
System.print("  \t trim \r\n".trim() + "|") // expect: trim|
System.print("  both  ".trimStart() + "|") // expect: both  |
System.print("  both  ".trimEnd() + "|") // expect:   both|
System.print("xxyaxyx".trim("xy")) // expect: a
System.print("ßåsdf".trimStart("åß")) // expect: sdf
System.print("ab" * 3) // expect: ababab
System.print("ab" * 0 + "|") // expect: |
System.print("ab" + "cd") // expect: abcd
System.print("abc".count) // expect: 3
System.print("søméthing".count) // expect: 9
System.print("abc".toString) // expect: abc
System.print("".isEmpty) // expect: true
System.print("x".isEmpty) // expect: false
