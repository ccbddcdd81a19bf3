{
  var outside = "outside"
  class Local {
    construct new() {}
    static make() { this.new() }
    sibling { this.type }
  }
  System.print(Local.make().sibling) // expect: Local
}
