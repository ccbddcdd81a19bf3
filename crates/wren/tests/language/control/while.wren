var i = 0
while (i < 3) System.print(i = i + 1)
// expect: 1
// expect: 2
// expect: 3
while (false) System.print("no")
while (i > 0) {
  i = i - 1
  if (i == 1) continue
  System.print(i)
}
// expect: 2
// expect: 0
