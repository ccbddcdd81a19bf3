//! `Class`.

use super::primitives;
use crate::{
    heap::Gc,
    machine::{Machine, Signal},
    object::Class,
    word::Word,
};

/// Every class of a class has them, so they're bound before there are others.
pub(super) fn bind_first(machine: &mut Machine) {
    let class = machine.classes.class;
    primitives(
        machine,
        class,
        &[
            ("name", |machine, args| Ok(Word::object(receiver(machine, args)?.name()))),
            ("toString", |machine, args| Ok(Word::object(receiver(machine, args)?.name()))),
            ("supertype", |machine, args| {
                Ok(receiver(machine, args)?.superclass().map_or(Word::NULL, Word::object))
            }),
            ("attributes", |machine, args| Ok(receiver(machine, args)?.attributes())),
        ],
    );
}

fn receiver(machine: &mut Machine, args: &[Word]) -> Result<Gc<Class>, Signal> {
    match args[0].get() {
        Some(class) => Ok(class),
        None => machine.fail("Receiver must be a class."),
    }
}
