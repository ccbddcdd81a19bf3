{
  var a = "a"
  // Nothing but the assignment makes an upvalue.
  if (false) Fn.new { a }
}
{
  var b = "b"
  System.print(b) // expect: b
}
