{
  System.print(NotThere) // expect error
}
