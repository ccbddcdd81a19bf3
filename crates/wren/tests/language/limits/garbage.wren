// Far more than there is room for, but not at once.
var kept = []
for (i in 1..2000) {
  var list = List.filled(10000, i)
  if (i % 500 == 0) kept.add(list)
}
System.print(kept.map {|list| list[9999] }.toList) // expect: [500, 1000, 1500, 2000]
