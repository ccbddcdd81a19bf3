import "./helpers/cycle_a" for A
// expect: a begins
// expect: b begins
// expect: b has null
// expect: a has B
System.print(A) // expect: A
