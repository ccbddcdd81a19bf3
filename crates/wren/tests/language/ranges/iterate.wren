var r = 1..2
System.print(r.iterate(null)) // expect: 1
System.print(r.iterate(1)) // expect: 2
System.print(r.iterate(2)) // expect: false
System.print(r.iteratorValue(1)) // expect: 1
