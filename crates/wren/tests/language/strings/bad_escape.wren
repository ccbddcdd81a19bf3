System.print("\q") // expect error
