class Odd {
  construct new() {}
  toString { 12 }
}
System.print("%(Odd.new())") // expect runtime error: Right operand must be a string.
