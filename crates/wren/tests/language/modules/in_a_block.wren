{
  import "meta" for Meta
  System.print(Meta) // expect: Meta
}
