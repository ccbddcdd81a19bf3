var text = "a string of some length"
var same = "a string of some " + "length"
var count = 0
for (i in 1..150000) {
  if (text == same) count = count + 1
  if (text == "a string of some lengty") count = count + 1
  if (text == "another one") count = count + 1
  if ("" == "abc") count = count + 1
  if ("abcd" == "abcd") count = count + 1
  if (text != 7) count = count + 1
}
System.print(count)
