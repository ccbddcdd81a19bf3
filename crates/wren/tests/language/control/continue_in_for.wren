for (i in 1..5) {
  var odd = i % 2 == 1
  var f = Fn.new { odd }
  if (f.call()) continue
  System.print(i)
}
// expect: 2
// expect: 4
