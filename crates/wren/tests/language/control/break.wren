for (i in 1..10) {
  if (i == 3) break
  System.print(i)
}
// expect: 1
// expect: 2
while (true) {
  var a = "local"
  {
    var b = "inner"
    var f = Fn.new { a + b }
    if (f.call() == "localinner") break
  }
}
System.print("done") // expect: done
for (i in 1..2) {
  for (j in 1..5) {
    if (j == 2) break
    System.print("%(i) %(j)")
  }
}
// expect: 1 1
// expect: 2 1
