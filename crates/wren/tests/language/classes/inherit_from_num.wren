class Foo is Num {} // expect runtime error: Class 'Foo' cannot inherit from built-in class 'Num'.
