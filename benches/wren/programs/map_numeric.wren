var map = {}
for (i in 1..200000) map[i] = i * 2
var sum = 0
for (i in 1..200000) sum = sum + map[i]
for (i in 1..200000) {
  if (i % 3 != 0) map.remove(i)
}
System.print(sum)
System.print(map.count)
