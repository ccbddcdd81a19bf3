// nontest
System.print("a begins")
import "./cycle_b" for B
System.print("a has %(B)")
var A = "A"
