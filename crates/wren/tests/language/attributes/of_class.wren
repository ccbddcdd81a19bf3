#hidden = 1
#!plain
#!number = 1.5
#!text = "text"
#!name = identifier
#!flag = true
#!group(a = 1, b, a = 2)
class Foo {}
var own = Foo.attributes.self
System.print(own[null]["plain"]) // expect: [null]
System.print(own[null]["number"]) // expect: [1.5]
System.print(own[null]["text"]) // expect: [text]
System.print(own[null]["name"]) // expect: [identifier]
System.print(own[null]["flag"]) // expect: [true]
System.print(own[null]["hidden"]) // expect: null
System.print(own["group"]["a"]) // expect: [1, 2]
System.print(own["group"]["b"]) // expect: [null]
System.print(Foo.attributes.methods) // expect: null
