for (entry in {"k": "v"}) {
  System.print(entry.key) // expect: k
  System.print(entry.value) // expect: v
  System.print(entry is MapEntry) // expect: true
  System.print(entry) // expect: k:v
}
