// nontest
var a = 
