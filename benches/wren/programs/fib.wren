class Fib {
  static of(n) { n < 2 ? n : of(n - 1) + of(n - 2) }
}
System.print(Fib.of(27))
