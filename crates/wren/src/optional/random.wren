foreign class Random {
  construct new() {}
  construct new(seed) {}

  foreign float()
  foreign int()

  float(end) { float() * end }
  float(start, end) { start + float() * (end - start) }
  int(end) { (float() * end).floor }
  int(start, end) { (float() * (end - start)).floor + start }

  sample(list) {
    if (list.count == 0) Fiber.abort("Not enough elements to sample.")
    return list[int(list.count)]
  }

  // Each choice is one of those that are left, which stand behind the ones that were chosen.
  sample(list, count) {
    if (!(count is Num) || !count.isInteger || count < 0) {
      Fiber.abort("Count must be a non-negative integer.")
    }
    if (count > list.count) Fiber.abort("Not enough elements to sample.")
    var left = list.toList
    var result = []
    for (index in 0...count) {
      left.swap(index, int(index, left.count))
      result.add(left[index])
    }
    return result
  }

  shuffle(list) {
    if (list.isEmpty) return
    for (index in 0...list.count - 1) list.swap(index, int(index, list.count))
  }
}
