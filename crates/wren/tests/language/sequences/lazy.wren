var seen = []
var mapped = [1, 2, 3].map {|n|
  seen.add(n)
  return n
}
System.print(seen) // expect: []
System.print(mapped.take(2).toList) // expect: [1, 2]
System.print(seen) // expect: [1, 2]
