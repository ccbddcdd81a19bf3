// A line. /* not a block
/* A block
   of several lines, /* with another */ in it. */
System.print("after") // expect: after
System.print(1 /* in the middle */ + 2) // expect: 3
