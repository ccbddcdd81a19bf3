System.print("text") // expect: text
System.print() // expect: 
System.print(System.print(1) == 1)
// expect: 1
// expect: true
System.printAll([1, "two", [3]]) // expect: 1two[3]
System.write("a")
System.write(1)
System.writeAll(["b", 2])
System.print() // expect: a1b2
System.print(System.clock is Num) // expect: true
System.gc()
