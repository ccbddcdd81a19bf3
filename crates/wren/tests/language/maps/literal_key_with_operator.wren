System.print({"a" + "b": 1}["ab"]) // expect error
