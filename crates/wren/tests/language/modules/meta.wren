import "meta" for Meta
var a = 1
Meta.eval("a = a + 1")
System.print(a) // expect: 2
System.print(Meta.compileExpression("a * 10").call()) // expect: 20
Meta.eval("var made = 5")
System.print(Meta.compileExpression("made").call()) // expect: 5
var code = Meta.compile("System.print(\"compiled\")")
code.call() // expect: compiled
System.print(Meta.compile("class {")) // expect: null
var names = Meta.getModuleVariables("tests/language/modules/meta")
System.print(names.contains("a")) // expect: true
System.print(names.contains("Meta")) // expect: true
