var list = [1, 2, 3]
for (item in list) {
  if (item == 1) list.add(4)
  System.print(item)
}
// expect: 1
// expect: 2
// expect: 3
// expect: 4
