System.print("abcd"[0]) // expect: a
System.print("abcd"[-1]) // expect: d
System.print("søme"[1]) // expect: ø
System.print("abcdef"[1..3]) // expect: bcd
System.print("abcdef"[1...3]) // expect: bc
System.print("abcdef"[-3..-1]) // expect: def
System.print("abcdef"[3..1]) // expect: dcb
System.print("abc"[3..-1]) // expect: 
System.print("abc"[3...3]) // expect: 
System.print("søme"[0..2]) // expect: sø
