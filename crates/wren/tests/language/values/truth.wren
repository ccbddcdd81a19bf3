if (0) System.print("zero") // expect: zero
if ("") System.print("empty") // expect: empty
if ([]) System.print("list") // expect: list
if (false) System.print("no") else System.print("false") // expect: false
if (null) System.print("no") else System.print("null") // expect: null
System.print(!0) // expect: false
System.print(!"") // expect: false
System.print(!null) // expect: true
System.print(!true) // expect: false
System.print(!false) // expect: true
