System.print(_a) // expect error
