#hidden
class Foo {}
class Bar {}
System.print(Foo.attributes) // expect: null
System.print(Bar.attributes) // expect: null
