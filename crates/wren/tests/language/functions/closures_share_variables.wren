var get
var set
{
  var shared = "first"
  get = Fn.new { shared }
  set = Fn.new {|value| shared = value }
}
set.call("second")
System.print(get.call()) // expect: second
