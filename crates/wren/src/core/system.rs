//! `System`.

use super::{check, meta, primitives};
use crate::{machine::Machine, object::Class, word::Word};

pub(super) fn bind(machine: &mut Machine) {
    let Some(class) = machine.core_variable("System").and_then(|class| class.get::<Class>()) else {
        unreachable!("the prelude defines it")
    };
    primitives(
        machine,
        meta(class),
        &[
            ("clock", |machine, _| Ok(Word::number((machine.host.clock)()))),
            ("gc()", |machine, _| {
                // At the next safe point, which is near.
                machine.wants_collection();
                Ok(Word::NULL)
            }),
            ("write_(_)", |machine, args| {
                let text = check::text(machine, args[1], "Text")?;
                (machine.host.write)(&text.lossy());
                Ok(Word::NULL)
            }),
        ],
    );
}
