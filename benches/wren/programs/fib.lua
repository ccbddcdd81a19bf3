local Fib = {}
function Fib.of(n) if n < 2 then return n end return Fib.of(n - 1) + Fib.of(n - 2) end
print(Fib.of(27))
