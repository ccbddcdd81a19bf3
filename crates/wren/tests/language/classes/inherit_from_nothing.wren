class Foo is null {} // expect runtime error: Class 'Foo' cannot inherit from a non-class object.
