var a = [1]
a.insert(1, 2)
a.insert(-1, 3)
System.print(a) // expect: [1, 2, 3]
