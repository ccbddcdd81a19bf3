{
  var inner = "inner"
  System.print(inner) // expect: inner
}
{ System.print("one line") } // expect: one line
{}
{
}
