class Bool {}
class Fiber {}
class Fn {}
class Null {}
class Num {}

class Sequence {
  all(predicate) {
    var result = true
    for (element in this) {
      result = predicate.call(element)
      if (!result) return result
    }
    return result
  }

  any(predicate) {
    var result = false
    for (element in this) {
      result = predicate.call(element)
      if (result) return result
    }
    return result
  }

  contains(wanted) {
    for (element in this) {
      if (element == wanted) return true
    }
    return false
  }

  count {
    var result = 0
    for (element in this) result = result + 1
    return result
  }

  count(predicate) {
    var result = 0
    for (element in this) {
      if (predicate.call(element)) result = result + 1
    }
    return result
  }

  each(function) {
    for (element in this) function.call(element)
  }

  isEmpty { iterate(null) ? false : true }

  map(transformation) { MapSequence.new(this, transformation) }

  skip(count) {
    if (!(count is Num) || !count.isInteger || count < 0) {
      Fiber.abort("Count must be a non-negative integer.")
    }
    return SkipSequence.new(this, count)
  }

  take(count) {
    if (!(count is Num) || !count.isInteger || count < 0) {
      Fiber.abort("Count must be a non-negative integer.")
    }
    return TakeSequence.new(this, count)
  }

  where(predicate) { WhereSequence.new(this, predicate) }

  reduce(initial, function) {
    var result = initial
    for (element in this) result = function.call(result, element)
    return result
  }

  reduce(function) {
    var at = iterate(null)
    if (!at) Fiber.abort("Can't reduce an empty sequence.")
    var result = iteratorValue(at)
    while (at = iterate(at)) result = function.call(result, iteratorValue(at))
    return result
  }

  join() { join("") }

  join(separator) {
    var parts = []
    for (element in this) parts.add(element.toString)
    return parts.joinStrings_(separator)
  }

  toList {
    var result = []
    for (element in this) result.add(element)
    return result
  }
}

class MapSequence is Sequence {
  construct new(sequence, function) {
    _sequence = sequence
    _function = function
  }

  iterate(iterator) { _sequence.iterate(iterator) }
  iteratorValue(iterator) { _function.call(_sequence.iteratorValue(iterator)) }
}

class SkipSequence is Sequence {
  construct new(sequence, count) {
    _sequence = sequence
    _count = count
  }

  iterate(iterator) {
    if (iterator) return _sequence.iterate(iterator)
    iterator = _sequence.iterate(iterator)
    var left = _count
    while (left > 0 && iterator) {
      iterator = _sequence.iterate(iterator)
      left = left - 1
    }
    return iterator
  }

  iteratorValue(iterator) { _sequence.iteratorValue(iterator) }
}

class TakeSequence is Sequence {
  construct new(sequence, count) {
    _sequence = sequence
    _count = count
  }

  iterate(iterator) {
    if (iterator) {
      _taken = _taken + 1
    } else {
      _taken = 1
    }
    return _taken > _count ? null : _sequence.iterate(iterator)
  }

  iteratorValue(iterator) { _sequence.iteratorValue(iterator) }
}

class WhereSequence is Sequence {
  construct new(sequence, predicate) {
    _sequence = sequence
    _predicate = predicate
  }

  iterate(iterator) {
    while (iterator = _sequence.iterate(iterator)) {
      if (_predicate.call(_sequence.iteratorValue(iterator))) break
    }
    return iterator
  }

  iteratorValue(iterator) { _sequence.iteratorValue(iterator) }
}

class String is Sequence {
  bytes { StringByteSequence.new(this) }
  codePoints { StringCodePointSequence.new(this) }
}

class StringByteSequence is Sequence {
  construct new(string) {
    _string = string
  }

  [index] { _string.byteAt_(index) }
  iterate(iterator) { _string.iterateByte_(iterator) }
  iteratorValue(iterator) { _string.byteAt_(iterator) }
  count { _string.byteCount_ }
}

class StringCodePointSequence is Sequence {
  construct new(string) {
    _string = string
  }

  [index] { _string.codePointAt_(index) }
  iterate(iterator) { _string.iterate(iterator) }
  iteratorValue(iterator) { _string.codePointAt_(iterator) }
  count { _string.count }
}

class List is Sequence {
  addAll(other) {
    if (other is List) return addList_(other)
    for (element in other) add(element)
    return other
  }

  sort() { sort {|low, high| low < high } }

  // Runs that are in order already are merged, two by two: what is equal stays in its order, and the comparer, which may
  // be any code, is only ever asked.
  sort(comparer) {
    if (!(comparer is Fn)) Fiber.abort("Comparer must be a function.")
    var from = this
    var to = List.filled(count, null)
    var width = 1
    while (width < count) {
      var start = 0
      while (start < count) {
        var middle = (start + width).min(count)
        var end = (start + width * 2).min(count)
        var left = start
        var right = middle
        var at = start
        while (at < end) {
          if (left < middle && (right >= end || !comparer.call(from[right], from[left]))) {
            to[at] = from[left]
            left = left + 1
          } else {
            to[at] = from[right]
            right = right + 1
          }
          at = at + 1
        }
        start = end
      }
      var swapped = from
      from = to
      to = swapped
      width = width * 2
    }
    if (!Object.same(from, this)) {
      for (index in 0...count) this[index] = from[index]
    }
    return this
  }

  toString { "[%(join(", "))]" }

  +(other) {
    var result = this[0..-1]
    result.addAll(other)
    return result
  }

  *(count) {
    if (!(count is Num) || !count.isInteger || count < 0) {
      Fiber.abort("Count must be a non-negative integer.")
    }
    return repeat_(count)
  }
}

class Map is Sequence {
  keys { MapKeySequence.new(this) }
  values { MapValueSequence.new(this) }

  toString {
    var parts = []
    for (entry in this) parts.add("%(entry.key): %(entry.value)")
    return "{%(parts.join(", "))}"
  }

  iteratorValue(iterator) {
    return MapEntry.new(keyIteratorValue_(iterator), valueIteratorValue_(iterator))
  }
}

class MapEntry {
  construct new(key, value) {
    _key = key
    _value = value
  }

  key { _key }
  value { _value }
  toString { "%(_key):%(_value)" }
}

class MapKeySequence is Sequence {
  construct new(map) {
    _map = map
  }

  iterate(iterator) { _map.iterate(iterator) }
  iteratorValue(iterator) { _map.keyIteratorValue_(iterator) }
}

class MapValueSequence is Sequence {
  construct new(map) {
    _map = map
  }

  iterate(iterator) { _map.iterate(iterator) }
  iteratorValue(iterator) { _map.valueIteratorValue_(iterator) }
}

class Range is Sequence {}

class System {
  static print() { write_("\n") }

  static print(object) {
    write_(text_(object))
    write_("\n")
    return object
  }

  static printAll(sequence) {
    for (object in sequence) write_(text_(object))
    write_("\n")
  }

  static write(object) {
    write_(text_(object))
    return object
  }

  static writeAll(sequence) {
    for (object in sequence) write_(text_(object))
  }

  static text_(object) {
    var text = object.toString
    return text is String ? text : "[invalid toString]"
  }
}

class ClassAttributes {
  construct new(own, methods) {
    _own = own
    _methods = methods
  }

  self { _own }
  methods { _methods }
  toString { "own: %(_own) methods: %(_methods)" }
}
