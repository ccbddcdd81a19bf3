// Counts the words of a text, and draws the most frequent ones: `ferry run examples/wren/word_count.wren`
import "lib/words" for Words

var text = """
The wren, the wren, the king of all birds,
St. Stephen's Day was caught in the furze;
although he is little, his family is great:
I pray you, good people, to give us a treat.
"""

var counts = {}
for (word in Words.of(text)) counts[word] = (counts[word] || 0) + 1

var names = counts.keys.toList
// What is equal keeps its order.
names.sort {|a, b| counts[a] > counts[b] }
for (name in names.take(3)) {
  System.print("%("#" * counts[name]) %(name)")
}

// A fiber gives one word after the other, and an error in it is its caller's to handle.
var reader = Fiber.new {
  for (word in ["one", "two", 3]) Fiber.yield(word.count)
}
while (true) {
  var length = reader.try()
  if (reader.error != null) {
    System.print("stopped: %(reader.error)")
    break
  }
  System.print(length)
}
