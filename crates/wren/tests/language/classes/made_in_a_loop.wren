// One definition makes classes of several superclasses.
class One {
  construct new() { _a = "one" }
  own { _a }
  name { "One" }
}
class Two {
  construct new() {
    _a = "a"
    _b = "b"
  }
  own { _a + _b }
  name { "Two" }
}
var make = Fn.new {|base|
  class Sub is base {
    construct new() {
      super()
      _field = "field"
    }
    field { _field }
    set(v) { _field = v }
    later { Fn.new { _field + super.name } }
    name { "Sub of " + super.name }
  }
  return Sub
}
for (base in [One, Two, One]) {
  var object = make.call(base).new()
  System.print("%(object.own) %(object.field) %(object.name)")
  object.set("x")
  System.print("%(object.own) %(object.field) %(object.later.call())")
}
// expect: one field Sub of One
// expect: one x xOne
// expect: ab field Sub of Two
// expect: ab x xTwo
// expect: one field Sub of One
// expect: one x xOne
