var f = Fn.new {|p|
  var g = Fn.new { p = p + 1 }
  g.call()
  return p
}
System.print(f.call(1)) // expect: 2
