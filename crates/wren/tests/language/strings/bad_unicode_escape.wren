System.print("\u12") // expect error
