if (true) if (false) System.print("no") else System.print("inner") // expect: inner
if (false) if (true) System.print("no") else System.print("no")
