if (true) System.print("then") // expect: then
if (false) System.print("no")
if (false) System.print("no") else System.print("else") // expect: else
if (true) {
  System.print("block") // expect: block
} else {
  System.print("no")
}
if (false) System.print("no") else if (true) System.print("chained") // expect: chained
var a = false
if (a = true) System.print(a) // expect: true
