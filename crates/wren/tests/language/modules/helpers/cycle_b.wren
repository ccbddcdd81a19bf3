// nontest
System.print("b begins")
import "./cycle_a" for A
System.print("b has %(A)")
var B = "B"
