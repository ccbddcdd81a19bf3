while (true) {
  Fn.new {
    break // expect error
  }
}
