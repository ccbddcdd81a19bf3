// The words of a text, in lower case, without what stands around them.
class Words is Sequence {
  construct of(text) {
    _words = text.split("\n").map {|line| line.split(" ") }.reduce([]) {|all, line| all + line }
    _words = _words.map {|word| Words.lower(word.trim(",.;:")) }.where {|word| word != "" }.toList
  }

  iterate(iterator) { _words.iterate(iterator) }
  iteratorValue(iterator) { _words.iteratorValue(iterator) }

  static lower(word) {
    return word.codePoints.map {|point|
      return String.fromCodePoint(point >= 65 && point <= 90 ? point + 32 : point)
    }.join()
  }
}
