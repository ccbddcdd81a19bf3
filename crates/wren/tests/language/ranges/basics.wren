var r = 1..4
System.print(r.from) // expect: 1
System.print(r.to) // expect: 4
System.print(r.min) // expect: 1
System.print(r.max) // expect: 4
System.print((4..1).min) // expect: 1
System.print((4..1).max) // expect: 4
System.print(r.isInclusive) // expect: true
System.print((1...4).isInclusive) // expect: false
System.print(r) // expect: 1..4
System.print(1.5...4) // expect: 1.5...4
System.print(r.toList) // expect: [1, 2, 3, 4]
System.print((1...4).toList) // expect: [1, 2, 3]
System.print((4..1).toList) // expect: [4, 3, 2, 1]
System.print((4...1).toList) // expect: [4, 3, 2]
System.print((1.5..3).toList) // expect: [1.5, 2.5]
System.print((2..2).toList) // expect: [2]
System.print((2...2).toList) // expect: []
System.print((1..3).type) // expect: Range
