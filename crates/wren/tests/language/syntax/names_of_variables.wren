var camelCase = 1
var PascalCase = 2
var abc123 = 3
var ALL_CAPS = 4
System.print(camelCase + PascalCase + abc123 + ALL_CAPS) // expect: 10
