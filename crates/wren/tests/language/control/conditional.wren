System.print(true ? 1 : 2) // expect: 1
System.print(null ? 1 : 2) // expect: 2
System.print(false ? 1 : true ? 2 : 3) // expect: 2
var a = 3 > 2 ?
  "yes" :
  "no"
System.print(a) // expect: yes
