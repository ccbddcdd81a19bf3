System.print("100%") // expect error
