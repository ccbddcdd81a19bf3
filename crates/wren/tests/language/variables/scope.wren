var a = "module"
{
  System.print(a) // expect: module
  var a = "block"
  System.print(a) // expect: block
  {
    var a = "inner"
    System.print(a) // expect: inner
  }
  a = "changed"
  System.print(a) // expect: changed
}
System.print(a) // expect: module
