var f = Fn.new { Later }
var Later = "later"
System.print(f.call()) // expect: later
