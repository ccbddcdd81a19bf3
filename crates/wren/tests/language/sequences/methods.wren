var s = 1..5
System.print(s.all {|n| n > 0 }) // expect: true
System.print(s.all {|n| n > 1 }) // expect: false
System.print([].all {|n| false }) // expect: true
System.print(s.any {|n| n > 4 }) // expect: true
System.print(s.any {|n| n > 5 }) // expect: false
System.print([].any {|n| true }) // expect: false
System.print([1, 2].all {|n| n }) // expect: 2
System.print(s.contains(3)) // expect: true
System.print(s.count) // expect: 5
System.print(s.count {|n| n % 2 == 0 }) // expect: 2
System.print(s.isEmpty) // expect: false
System.print(s.map {|n| n * 2 }.toList) // expect: [2, 4, 6, 8, 10]
System.print(s.where {|n| n > 3 }.toList) // expect: [4, 5]
System.print(s.skip(3).toList) // expect: [4, 5]
System.print(s.skip(10).toList) // expect: []
System.print(s.take(2).toList) // expect: [1, 2]
System.print(s.take(0).toList) // expect: []
System.print(s.reduce {|a, b| a + b }) // expect: 15
System.print(s.reduce(10) {|a, b| a + b }) // expect: 25
System.print(s.join()) // expect: 12345
System.print(s.join(", ")) // expect: 1, 2, 3, 4, 5
s.each {|n| System.write(n) }
System.print() // expect: 12345
System.print(s.map {|n| n + 1 }.where {|n| n % 2 == 0 }.skip(1).take(1).toList) // expect: [4]
