var name = "Wren"
System.print("Hello, %(name)!") // expect: Hello, Wren!
System.print("%(1 + 2)") // expect: 3
System.print("a%(1)b%(2)c") // expect: a1b2c
System.print("%(["x", "y"])") // expect: [x, y]
System.print("nested %("inner %("most")")") // expect: nested inner most
System.print("%( {"k": 1}["k"] )") // expect: 1
System.print("%(
  5
)") // expect: 5
System.print("%(null) %(true)") // expect: null true
