class Evens is Sequence {
  construct new(last) { _last = last }
  iterate(i) {
    if (i == null) return 2
    return i + 2 <= _last ? i + 2 : false
  }
  iteratorValue(i) { i }
}
System.print(Evens.new(10).toList) // expect: [2, 4, 6, 8, 10]
System.print(Evens.new(6).map {|n| n / 2 }.join("-")) // expect: 1-2-3
System.print(Evens.new(6).contains(4)) // expect: true
