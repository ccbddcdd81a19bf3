for (i in [1, 2]) System.print(i)
// expect: 1
// expect: 2
for (c in "ab") System.print(c)
// expect: a
// expect: b
for (i in 3..1) System.print(i)
// expect: 3
// expect: 2
// expect: 1
for (i in 0...2) System.print(i)
// expect: 0
// expect: 1
for (i in 5...5) System.print("no")
for (i in []) System.print("no")
for (entry in {"k": "v"}) System.print("%(entry.key) %(entry.value)") // expect: k v
