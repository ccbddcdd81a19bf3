var f = Fn.new { later } // expect error
{
  var later = 1
}
