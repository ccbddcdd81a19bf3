class Foo {
  construct new() {}
  getter { "getter" }
  method() { "no arguments" }
  method(a) { "one %(a)" }
  method(a, b) { "two %(a) %(b)" }
  setter=(value) { _v = value }
  v { _v }
  [i] { "sub %(i)" }
  [i, j] { "sub %(i) %(j)" }
  [i]=(v) { "set %(i) %(v)" }
  [i, j]=(v) { "set %(i) %(j) %(v)" }
  + (o) { "plus %(o)" }
  - (o) { "minus %(o)" }
  - { "negated" }
  ! { "not" }
  ~ { "tilde" }
  * (o) { "times %(o)" }
  / (o) { "over %(o)" }
  % (o) { "mod %(o)" }
  < (o) { "less %(o)" }
  > (o) { "more %(o)" }
  <= (o) { "at most %(o)" }
  >= (o) { "at least %(o)" }
  == (o) { "equal %(o)" }
  != (o) { "unequal %(o)" }
  & (o) { "and %(o)" }
  | (o) { "or %(o)" }
  ^ (o) { "xor %(o)" }
  << (o) { "left %(o)" }
  >> (o) { "right %(o)" }
  .. (o) { "to %(o)" }
  ... (o) { "until %(o)" }
  is (o) { "is %(o)" }
}
var f = Foo.new()
System.print(f.getter) // expect: getter
System.print(f.method()) // expect: no arguments
System.print(f.method(1)) // expect: one 1
System.print(f.method(1, 2)) // expect: two 1 2
System.print(f.setter = 5) // expect: 5
System.print(f.v) // expect: 5
System.print(f[1]) // expect: sub 1
System.print(f[1, 2]) // expect: sub 1 2
System.print(f[1] = 2) // expect: set 1 2
System.print(f[1, 2] = 3) // expect: set 1 2 3
System.print(f + 1) // expect: plus 1
System.print(f - 1) // expect: minus 1
System.print(-f) // expect: negated
System.print(!f) // expect: not
System.print(~f) // expect: tilde
System.print(f * 1) // expect: times 1
System.print(f / 1) // expect: over 1
System.print(f % 1) // expect: mod 1
System.print(f < 1) // expect: less 1
System.print(f > 1) // expect: more 1
System.print(f <= 1) // expect: at most 1
System.print(f >= 1) // expect: at least 1
System.print(f == 1) // expect: equal 1
System.print(f != 1) // expect: unequal 1
System.print(f & 1) // expect: and 1
System.print(f | 1) // expect: or 1
System.print(f ^ 1) // expect: xor 1
System.print(f << 1) // expect: left 1
System.print(f >> 1) // expect: right 1
System.print(f..1) // expect: to 1
System.print(f...1) // expect: until 1
System.print(f is 1) // expect: is 1
if (f < 1) System.print("taken") // expect: taken
