#attribute // expect error
var a = 1
