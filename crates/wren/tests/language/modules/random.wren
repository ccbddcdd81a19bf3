import "random" for Random
var random = Random.new(12345)
var again = Random.new(12345)
System.print(random.float() == again.float()) // expect: true
var within = true
for (i in 1..100) {
  var f = random.float(2, 5)
  if (f < 2 || f >= 5) within = false
  var n = random.int(3, 6)
  if (n < 3 || n >= 6 || !n.isInteger) within = false
  if (random.int(4) >= 4) within = false
  if (random.float(0.5) >= 0.5) within = false
}
System.print(within) // expect: true
var list = (1..20).toList
random.shuffle(list)
System.print(list.count) // expect: 20
System.print(list.reduce {|a, b| a + b }) // expect: 210
System.print(list.contains(random.sample(list))) // expect: true
var sample = random.sample(list, 5)
System.print(sample.count) // expect: 5
System.print(sample.all {|n| list.contains(n) }) // expect: true
System.print(random.sample([1, 2, 3], 3).reduce {|a, b| a + b }) // expect: 6
System.print(Random.new() is Random) // expect: true
System.print(Random.new("seed").int(10) == Random.new("seed").int(10)) // expect: true
