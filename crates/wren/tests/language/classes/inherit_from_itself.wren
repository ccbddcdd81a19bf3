class Foo is Foo {} // expect runtime error: Class 'Foo' cannot inherit from a non-class object.
