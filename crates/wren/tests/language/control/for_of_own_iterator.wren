class Countdown {
  construct new(from) { _from = from }
  iterate(iterator) {
    if (iterator == null) return _from
    return iterator > 1 ? iterator - 1 : false
  }
  iteratorValue(iterator) { "t-%(iterator)" }
}
for (t in Countdown.new(3)) System.print(t)
// expect: t-3
// expect: t-2
// expect: t-1
