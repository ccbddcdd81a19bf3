var a =
  1 +
  2
System.print(a) // expect: 3
System.print([
  1,
  2,
]) // expect: [1, 2]
System.print({
  "k":
    "v",
}) // expect: {k: v}
