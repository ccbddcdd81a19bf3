var m = {"a": 1, "b": 2}
System.print(m["a"]) // expect: 1
System.print(m["none"]) // expect: null
System.print(m["a"] = 3) // expect: 3
System.print(m.containsKey("a")) // expect: true
System.print(m.containsKey("c")) // expect: false
System.print(m.remove("a")) // expect: 3
System.print(m.remove("a")) // expect: null
System.print(m.count) // expect: 1
System.print(m.keys.toList) // expect: [b]
System.print(m.values.toList) // expect: [2]
m.clear()
System.print(m.count) // expect: 0
System.print(m.isEmpty) // expect: true
System.print(Map.new().count) // expect: 0
