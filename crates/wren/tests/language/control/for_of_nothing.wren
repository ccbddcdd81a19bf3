for (i in null) System.print(i) // expect runtime error: Null does not implement 'iterate(_)'.
