System.print([]) // expect: []
System.print([1, "two", null, [3]]) // expect: [1, two, null, [3]]
System.print([1, 2].count) // expect: 2
System.print([1, 2,]) // expect: [1, 2]
System.print([1].type) // expect: List
