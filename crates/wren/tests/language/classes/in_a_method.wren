// The fields of a class in a method of another are its own.
class Base {
  construct new() { _base = "base" }
  base { _base }
}
class Outer is Base {
  construct new() {
    super()
    _outer = "outer"
  }
  make(above) {
    class Inner is above {
      construct new() {
        super()
        _inner = "inner"
      }
      inner { Fn.new { _inner }.call() }
      above { super.toString }
    }
    return [Inner.new(), _outer]
  }
}
class Two {
  construct new() {
    _a = 1
    _b = 2
  }
  toString { "Two" }
}
class One {
  construct new() { _a = 1 }
  toString { "One" }
}
for (above in [Two, One, Base, Two]) {
  var made = Outer.new().make(above)
  System.print(made[0].inner + " " + made[1] + " " + made[0].above)
}
// expect: inner outer Two
// expect: inner outer One
// expect: inner outer instance of Inner
// expect: inner outer Two
