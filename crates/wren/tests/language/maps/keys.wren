var m = {}
m[null] = "null"
m[true] = "true"
m[1] = "num"
m["s"] = "string"
m[1..2] = "range"
m[String] = "class"
System.print(m[null]) // expect: null
System.print(m[true]) // expect: true
System.print(m[1]) // expect: num
System.print(m["s"]) // expect: string
System.print(m[1..2]) // expect: range
System.print(m[1...2]) // expect: null
System.print(m[String]) // expect: class
System.print(m.count) // expect: 6
