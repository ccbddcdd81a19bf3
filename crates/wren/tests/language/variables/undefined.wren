System.print(notThere) // expect error
