var m = {}
for (i in 1..1000) m[i] = i * i
System.print(m.count) // expect: 1000
for (i in 1..1000) if (i % 2 == 0) m.remove(i)
System.print(m.count) // expect: 500
var sum = 0
for (entry in m) sum = sum + entry.value - entry.key * entry.key
System.print(sum) // expect: 0
for (i in 1..1000) m[i] = i
System.print(m.count) // expect: 1000
for (i in 1..1000) {
  m["churn%(i)"] = i
  m.remove("churn%(i)")
}
System.print(m.count) // expect: 1000
System.print(m[1000]) // expect: 1000
