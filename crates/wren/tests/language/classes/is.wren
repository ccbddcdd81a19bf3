System.print(1 is Num) // expect: true
System.print(1 is String) // expect: false
System.print("s" is Sequence) // expect: true
System.print(null is Null) // expect: true
System.print(true is Bool) // expect: true
System.print(Num is Class) // expect: true
System.print(Num.type is Class) // expect: true
System.print(Object is Object) // expect: true
