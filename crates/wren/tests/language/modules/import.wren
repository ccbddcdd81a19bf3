import "./helpers/counter" for Counter, Shared as Renamed // expect: counter is loaded
import "./helpers/counter" for Counter as Again
System.print(Counter.next) // expect: 1
System.print(Again.next) // expect: 2
Renamed.add(2)
System.print(Renamed) // expect: [1, 2]
