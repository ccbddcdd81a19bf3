class Animal {
  construct new(name) { _name = name }
  name { _name }
  speak() { "..." }
  describe() { "%(name) says %(speak())" }
}
class Dog is Animal {
  construct new(name, trick) {
    super(name)
    _trick = trick
  }
  trick { _trick }
  speak() { "Woof, not " + super.speak() }
  describe() { super.describe() + "!" }
}
class Puppy is Dog {
  construct new(name) { super(name, "roll") }
  speak() { super() + "?" }
}
System.print(Animal.new("a").describe()) // expect: a says ...
var dog = Dog.new("d", "sit")
System.print(dog.describe()) // expect: d says Woof, not ...!
System.print(dog.trick) // expect: sit
var puppy = Puppy.new("p")
System.print(puppy.describe()) // expect: p says Woof, not ...?!
System.print(puppy.trick) // expect: roll
System.print(puppy is Animal) // expect: true
System.print(dog is Puppy) // expect: false
System.print(Puppy.supertype) // expect: Dog
System.print(puppy is Object) // expect: true
