var a = [1, 2]
System.print(a.add(3)) // expect: 3
System.print(a) // expect: [1, 2, 3]
System.print(a.addAll([4, 5])) // expect: [4, 5]
a.addAll(6..7)
System.print(a) // expect: [1, 2, 3, 4, 5, 6, 7]
System.print(a.insert(0, "first")) // expect: first
a.insert(-1, "last")
System.print(a) // expect: [first, 1, 2, 3, 4, 5, 6, 7, last]
System.print(a.removeAt(0)) // expect: first
System.print(a.removeAt(-1)) // expect: last
System.print(a.remove(3)) // expect: 3
System.print(a.remove(100)) // expect: null
System.print(a) // expect: [1, 2, 4, 5, 6, 7]
System.print(a.indexOf(4)) // expect: 2
System.print(a.indexOf(100)) // expect: -1
a.swap(0, -1)
System.print(a) // expect: [7, 2, 4, 5, 6, 1]
a.clear()
System.print(a) // expect: []
System.print(List.filled(3, "x")) // expect: [x, x, x]
System.print(List.filled(0, "x")) // expect: []
System.print([1] + [2, 3]) // expect: [1, 2, 3]
System.print([1] + (2..3)) // expect: [1, 2, 3]
System.print([1, 2] * 2) // expect: [1, 2, 1, 2]
System.print([] * 5) // expect: []
System.print(List.new()) // expect: []
System.print([1, 2].contains(2)) // expect: true
var self = [1, 2]
self.addAll(self)
System.print(self) // expect: [1, 2, 1, 2]
