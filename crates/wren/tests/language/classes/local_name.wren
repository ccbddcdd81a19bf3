{
  class Local {
    construct new() {}
    // A method sees no locals of what is around its class, so this is the module's, of which there is none.
    own { Local } // expect error
  }
}
