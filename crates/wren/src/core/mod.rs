//! The core classes: those methods of theirs that are in Rust, a file for each class. The others are in `prelude.wren`.
//!
//! What a method says when it's used wrongly is said as Wren 0.4 says it.

mod boolean;
mod check;
mod class;
mod fiber;
mod function;
mod list;
mod map;
pub(crate) mod number;
mod object;
mod range;
mod string;
mod system;

use crate::{
    compiler::What,
    heap::Gc,
    machine::{CORE, Ended, Machine},
    object::{Class, FiberOp, Method, Primitive},
    word::Word,
};

pub(crate) use map::is_key;

const PRELUDE: &str = include_str!("prelude.wren");

/// Makes the core classes.
pub(crate) fn fill(machine: &mut Machine) {
    let classes = machine.classes;
    // Object and Class come first, as all others inherit from them when they're made.
    object::bind(machine);
    let mut known = Vec::new();
    for (name, class) in [("Object", classes.object), ("Class", classes.class)] {
        let place = machine.globals.len() as u32;
        machine.globals.push(Word::object(class));
        machine.modules[CORE.0 as usize].add(name, place);
        known.push(name);
    }
    let code = match machine.compile(CORE, PRELUDE, What::Core) {
        Ok(code) => code,
        Err(errors) => unreachable!("the prelude is a part of this crate: {errors:?}"),
    };
    let fiber = machine.new_fiber(code);
    fiber.set_started();
    // What it takes is not the program's.
    machine.heap.ticks = i64::MAX;
    let ended = machine.run(fiber);
    machine.heap.ticks = 0;
    machine.heap.laid_aside = 0;
    assert!(matches!(ended, Ok(Ended::Finished { .. })), "the prelude is a part of this crate");
    boolean::bind(machine);
    fiber::bind(machine);
    function::bind(machine);
    list::bind(machine);
    map::bind(machine);
    number::bind(machine);
    range::bind(machine);
    string::bind(machine);
    system::bind(machine);
}

/// Gives a class methods.
fn primitives(machine: &mut Machine, class: Gc<Class>, methods: &[(&str, Primitive)]) {
    for (signature, primitive) in methods {
        method(machine, class, signature, Method::Primitive(*primitive));
    }
}

fn fiber_methods(machine: &mut Machine, class: Gc<Class>, methods: &[(&str, FiberOp)]) {
    for (signature, op) in methods {
        method(machine, class, signature, Method::Fiber(*op));
    }
}

fn method(machine: &mut Machine, class: Gc<Class>, signature: &str, method: Method) {
    let Some(symbol) = machine.symbols.number(signature) else {
        unreachable!("the core classes have few methods")
    };
    class.bind(symbol as usize, method, &mut machine.heap);
}

/// The class of a class, which has its static methods.
fn meta(class: Gc<Class>) -> Gc<Class> {
    match class.class() {
        Some(meta) => meta,
        None => unreachable!("the prelude has made all classes whole"),
    }
}
