var a = ["x", "y"]
System.print(a.iterate(null)) // expect: 0
System.print(a.iterate(0)) // expect: 1
System.print(a.iterate(1)) // expect: false
System.print(a.iterate(-1)) // expect: false
System.print([].iterate(null)) // expect: false
System.print(a.iteratorValue(1)) // expect: y
