System.print({}) // expect: {}
System.print({"a": 1}) // expect: {a: 1}
System.print({"a": 1, }) // expect: {a: 1}
System.print({1: "one"}[1]) // expect: one

