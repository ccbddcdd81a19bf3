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
    bytecode::Module,
    compiler::{self, What},
    heap::Gc,
    machine::{CORE, Ended, Machine},
    object::{Class, FiberOp, Method, Primitive},
    word::Word,
};
use std::sync::OnceLock;

pub(crate) use map::is_key;

const PRELUDE: &str = include_str!("prelude.wren");

/// Makes the core classes.
pub(crate) fn fill(machine: &mut Machine) {
    let classes = machine.classes;
    // Object and Class come first, as all others inherit from them when they're made.
    object::bind(machine);
    for (name, class) in [("Object", classes.object), ("Class", classes.class)] {
        let place = machine.globals.len() as u32;
        machine.globals.push(Word::object(class));
        machine.modules[CORE.0 as usize].add(name, place);
    }
    let code = match machine.link(CORE, prelude()) {
        Ok(code) => code,
        Err(error) => unreachable!("the prelude has few names: {error}"),
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

/// The prelude's code, which is the same for all machines.
fn prelude() -> &'static Module {
    static COMPILED: OnceLock<Module> = OnceLock::new();
    COMPILED.get_or_init(|| {
        match compiler::compile_as("", PRELUDE, &["Object", "Class"], compiler::Limits::default(), What::Core)
        {
            Ok(module) => module,
            Err(errors) => unreachable!("the prelude is a part of this crate: {errors:?}"),
        }
    })
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
