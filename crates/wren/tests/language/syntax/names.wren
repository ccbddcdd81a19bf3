var camelCase = 1
var PascalCase = 2
var _underscored = 3 // expect error
