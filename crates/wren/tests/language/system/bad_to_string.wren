class Bad {
  construct new() {}
  toString { 3 }
}
System.print(Bad.new()) // expect: [invalid toString]
System.write(Bad.new())
System.print() // expect: [invalid toString]
