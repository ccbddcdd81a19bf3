for (i 1..3) {} // expect error
