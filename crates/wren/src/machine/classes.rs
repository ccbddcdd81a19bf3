//! How classes are made, and get their methods.

use super::{CORE, Classes, Machine, code::Code};
use crate::{
    bytecode::{Attribute, AttributeValue, operand},
    heap::{Gc, Heap},
    object::{Class, Closure, Function, Method, ModuleId, Text},
    word::Word,
};

/// So many fields an object may have.
const MOST_FIELDS: usize = 255;

/// The classes that are there before any code is, with their names' and their own classes set, and without methods.
pub(crate) fn first(heap: &mut Heap) -> Classes {
    let mut bare = |name: &str| {
        let text = heap.alloc(Text::without_class(name.as_bytes().into()));
        heap.alloc(Class::new(text))
    };
    let (object, object_meta, class) = (bare("Object"), bare("Object metaclass"), bare("Class"));
    // Object's class is its metaclass; that one's and Class's class is Class itself, which inherits from Object.
    object.set_class(object_meta);
    object_meta.set_class(class);
    class.set_class(class);
    let string = bare("String");
    for known in [object, object_meta, class, string] {
        known.name().set_class(string);
    }
    class.set_builtin();
    string.set_builtin();
    // They get their superclasses and methods when the prelude defines them.
    let mut native = |name: &str| {
        let name = heap_text(heap, name, string);
        let class = heap.alloc(Class::new(name));
        class.set_builtin();
        class
    };
    Classes {
        boolean: native("Bool"),
        fiber: native("Fiber"),
        function: native("Fn"),
        list: native("List"),
        map: native("Map"),
        null: native("Null"),
        number: native("Num"),
        range: native("Range"),
        class,
        object,
        string,
    }
}

fn heap_text(heap: &mut Heap, text: &str, class: Gc<Class>) -> Gc<Text> {
    heap.alloc(Text::new(class, text.as_bytes().into()))
}

impl Machine {
    /// A class with a metaclass of its own.
    pub(crate) fn new_class(&mut self, name: &str, superclass: Gc<Class>, own_fields: u32) -> Gc<Class> {
        let name = heap_text(&mut self.heap, name, self.classes.string);
        let class = self.heap.alloc(Class::new(name));
        self.complete_class(class, superclass, own_fields);
        class
    }

    /// A class that is there without anything gets its own class, and what it inherits.
    fn complete_class(&mut self, class: Gc<Class>, superclass: Gc<Class>, own_fields: u32) {
        let name = format!("{} metaclass", class.name().lossy());
        let name = heap_text(&mut self.heap, &name, self.classes.string);
        let meta = self.heap.alloc(Class::new(name));
        meta.set_class(self.classes.class);
        meta.inherit(self.classes.class, 0, &mut self.heap);
        class.set_class(meta);
        class.inherit(superclass, own_fields, &mut self.heap);
    }

    /// The class that is there already and that the prelude defines.
    fn native_class(&self, name: &str) -> Option<Gc<Class>> {
        let classes = &self.classes;
        Some(match name {
            "Bool" => classes.boolean,
            "Fiber" => classes.fiber,
            "Fn" => classes.function,
            "List" => classes.list,
            "Map" => classes.map,
            "Null" => classes.null,
            "Num" => classes.number,
            "Range" => classes.range,
            "String" => classes.string,
            _ => return None,
        })
    }

    /// What a class definition does. `fields` is `None` for a foreign one.
    pub(crate) fn define_class(
        &mut self,
        name: Word,
        superclass: Word,
        fields: Option<u32>,
        module: ModuleId,
    ) -> Result<Gc<Class>, String> {
        let name = name.get::<Text>().map(|name| name.lossy().into_owned()).unwrap_or_default();
        let Some(superclass) = superclass.get::<Class>() else {
            return Err(format!("Class '{name}' cannot inherit from a non-class object."));
        };
        if superclass.is_builtin() {
            let other = superclass.name();
            return Err(format!("Class '{name}' cannot inherit from built-in class '{}'.", other.lossy()));
        }
        if superclass.foreign().is_some() {
            let other = superclass.name();
            return Err(format!("Class '{name}' cannot inherit from foreign class '{}'.", other.lossy()));
        }
        if fields.is_none() && superclass.fields() > 0 {
            return Err(format!("Foreign class '{name}' may not inherit from a class with fields."));
        }
        let own = fields.unwrap_or(0);
        if let (CORE, Some(native)) = (module, self.native_class(&name)) {
            self.complete_class(native, superclass, own);
            return Ok(native);
        }
        if superclass.fields() + own as usize > MOST_FIELDS {
            return Err(format!(
                "Class '{name}' may not have more than 255 fields, including inherited ones."
            ));
        }
        let constructor = match fields {
            Some(_) => None,
            None => Some(self.foreign_class(module, &name)?),
        };
        let class = self.new_class(&name, superclass, own);
        if let Some(constructor) = constructor {
            class.set_foreign(constructor);
        }
        Ok(class)
    }

    /// What a method's definition does. For a foreign one, its signature stands for the closure.
    pub(crate) fn define_method(
        &mut self,
        class: Word,
        closure: Word,
        symbol: u32,
        is_static: bool,
        module: ModuleId,
    ) -> Result<(), String> {
        let Some(class) = class.get::<Class>() else {
            return Err("A method is defined for what is no class.".to_owned());
        };
        let target = if is_static { class.class().unwrap_or(class) } else { class };
        let method = match (closure.get::<Closure>(), closure.get::<Text>()) {
            (Some(closure), _) => {
                let bound = self.bind_code(closure, target);
                short_method(bound)
            }
            (None, Some(signature)) => {
                let name = class.name();
                Method::Foreign(self.foreign_method(module, &name.lossy(), &signature.lossy())?)
            }
            (None, None) => return Err("A method is neither code nor foreign.".to_owned()),
        };
        target.bind(symbol as usize, method, &mut self.heap);
        Ok(())
    }

    /// The attributes of a class, as objects.
    pub(crate) fn set_attributes(
        &mut self,
        class: Word,
        function: Gc<Function>,
        index: usize,
    ) -> Result<(), String> {
        let (Some(class), Some(said)) = (class.get::<Class>(), function.attributes.get(index)) else {
            return Ok(());
        };
        let of_class = self.attribute_groups(&said.class);
        let of_methods = if said.methods.is_empty() {
            Word::NULL
        } else {
            let map = self.new_map();
            for (signature, attributes) in &said.methods {
                let key = self.text(signature);
                let groups = self.attribute_groups(attributes);
                map.insert(key, groups, &mut self.heap);
            }
            Word::object(map)
        };
        let Some(holder) = self.core_variable("ClassAttributes").and_then(|class| class.get::<Class>())
        else {
            return Ok(());
        };
        let object = self.heap.alloc_instance(holder);
        // SAFETY: the class has two fields, which the prelude names in this order; `core::fill` makes sure of it.
        unsafe {
            *crate::object::Instance::field(object, 0) = of_class;
            *crate::object::Instance::field(object, 1) = of_methods;
        }
        class.set_attributes(Word::object(object));
        Ok(())
    }

    /// A map of groups, each a map of keys, each with the list of its values. Null if there are none.
    fn attribute_groups(&mut self, attributes: &[Attribute]) -> Word {
        if attributes.is_empty() {
            return Word::NULL;
        }
        let groups = self.new_map();
        for attribute in attributes {
            let group = match &attribute.group {
                Some(group) => self.text(group),
                None => Word::NULL,
            };
            let keys = match groups.get(group).and_then(|keys| keys.get()) {
                Some(keys) => keys,
                None => {
                    let keys = self.new_map();
                    groups.insert(group, Word::object(keys), &mut self.heap);
                    keys
                }
            };
            let key = self.text(&attribute.key);
            let value = match &attribute.value {
                AttributeValue::Null => Word::NULL,
                AttributeValue::Bool(is) => Word::boolean(*is),
                AttributeValue::Number(number) => Word::number(*number),
                AttributeValue::String(text) => self.new_text(text.as_slice()),
            };
            match keys.get(key).and_then(|values| values.get::<crate::object::List>()) {
                Some(values) => values.push(value, &mut self.heap),
                None => {
                    let values = self.new_list(vec![value]);
                    keys.insert(key, values, &mut self.heap);
                }
            }
        }
        Word::object(groups)
    }
}

/// A method whose code does no more than give a field, or set one, needs no frame.
fn short_method(closure: Gc<Closure>) -> Method {
    let function = closure.function;
    let word = |index: usize| function.code().get(index).map_or(0, |word| word.get());
    let code = |index: usize| Code::of(word(index));
    match (function.arity, code(0), code(1), code(2)) {
        (0, Code::LoadThisField, Code::Return, _) => Method::Getter(operand(word(0))),
        (1, Code::LoadLocal, Code::StoreThisField, Code::Return) if operand(word(0)) == 1 => {
            Method::Setter(operand(word(1)))
        }
        _ => Method::Block(closure),
    }
}
