var firsts = ["red", "green", "blue", "black", "white", "grey", "brown", "pink", "gold", "silver"]
var seconds = ["cat", "dog", "fox", "owl", "bear", "crow", "deer", "goat", "hare", "lynx", "mole", "newt"]
var names = []
for (first in firsts) {
  for (second in seconds) {
    for (size in ["small", "large", "huge"]) names.add(first + " " + size + " " + second)
  }
}
var seen = {}
var number = 0
for (name in names) {
  seen[name] = number
  number = number + 1
}
var sum = 0
for (round in 1..300) {
  for (name in names) sum = sum + seen[name]
}
for (name in names) seen.remove(name)
System.print(sum)
System.print(seen.count)
