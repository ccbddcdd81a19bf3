// The next line may go on with a call: Wren's own compiler takes that since the version after 0.4.0.
var chained = [1, 2, 3]
  .map {|n| n * 2 }
  .where {|n| n > 2 }

  .toList
System.print(chained) // expect: [4, 6]
