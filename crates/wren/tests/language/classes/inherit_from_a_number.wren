var a = 123
class Foo is a {} // expect runtime error: Class 'Foo' cannot inherit from a non-class object.
