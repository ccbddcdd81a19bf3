class Foo is List {} // expect runtime error: Class 'Foo' cannot inherit from built-in class 'List'.
