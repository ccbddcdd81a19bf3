class Foo {}
class Bar {
}
System.print(Foo) // expect: Foo
System.print(Foo.name) // expect: Foo
System.print(Foo.type) // expect: Foo metaclass
System.print(Foo.supertype) // expect: Object
System.print(Object.supertype) // expect: null
System.print(Foo.type.type) // expect: Class
