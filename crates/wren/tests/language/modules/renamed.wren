import "meta" for Meta as Other
System.print(Other.compileExpression("1").call()) // expect: 1
