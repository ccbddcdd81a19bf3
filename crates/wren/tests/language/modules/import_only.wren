import "./helpers/counter" // expect: counter is loaded
import "./helpers/../helpers/counter"
System.print("once") // expect: once
