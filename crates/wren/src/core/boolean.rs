//! `Bool` and `Null`.

use super::primitives;
use crate::{machine::Machine, word::Word};

pub(super) fn bind(machine: &mut Machine) {
    let (boolean, null) = (machine.classes.boolean, machine.classes.null);
    primitives(
        machine,
        boolean,
        &[
            ("toString", |machine, args| {
                Ok(machine.text(if args[0] == Word::TRUE { "true" } else { "false" }))
            }),
            ("!", |_, args| Ok(Word::boolean(args[0] == Word::FALSE))),
        ],
    );
    primitives(
        machine,
        null,
        &[("toString", |machine, _| Ok(machine.text("null"))), ("!", |_, _| Ok(Word::TRUE))],
    );
}
