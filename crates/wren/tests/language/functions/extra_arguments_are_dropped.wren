var f = Fn.new {|a|
  var b = a * 2
  return b
}
System.print(f.call(1, 100, 200)) // expect: 2
