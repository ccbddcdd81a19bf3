System.print([3, 1, 2].sort()) // expect: [1, 2, 3]
System.print([].sort()) // expect: []
System.print([1].sort()) // expect: [1]
System.print([2, 1].sort {|a, b| a > b }) // expect: [2, 1]
System.print(["b", "aa", "ccc"].sort {|a, b| a.count < b.count }) // expect: [b, aa, ccc]
var random = []
var state = 7
for (i in 0...100) {
  state = (state * 75 + 74) % 65537
  random.add(state)
}
random.sort()
var ordered = true
for (i in 1...100) if (random[i - 1] > random[i]) ordered = false
System.print(ordered) // expect: true
