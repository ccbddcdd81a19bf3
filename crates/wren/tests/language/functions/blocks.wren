var f = Fn.new { "body" }
System.print(f.call()) // expect: body
var g = Fn.new {
  "no value"
}
System.print(g.call()) // expect: null
var h = Fn.new {
  return "returned"
}
System.print(h.call()) // expect: returned
System.print(Fn.new {}.call()) // expect: null
var nothing = Fn.new {
  return
}
System.print(nothing.call()) // expect: null
System.print(f) // expect: <fn>
