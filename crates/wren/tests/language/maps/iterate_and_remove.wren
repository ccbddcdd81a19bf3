var m = {1: 1, 2: 2, 3: 3, 4: 4}
var seen = 0
for (key in m.keys) {
  m.remove(key)
  seen = seen + 1
}
System.print(seen) // expect: 4
System.print(m.count) // expect: 0
