class Tree {
  construct new(depth) {
    if (depth > 0) {
      _left = Tree.new(depth - 1)
      _right = Tree.new(depth - 1)
    }
  }
  count {
    if (_left == null) return 1
    return 1 + _left.count + _right.count
  }
}
var kept = Tree.new(12)
var total = 0
var depth = 4
while (depth <= 12) {
  var rounds = 1 << (12 - depth + 2)
  for (i in 1..rounds) total = total + Tree.new(depth).count
  depth = depth + 4
}
System.print(total + kept.count)
