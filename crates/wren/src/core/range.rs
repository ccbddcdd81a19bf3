//! `Range`.

use super::{number, primitives};
use crate::{
    heap::Gc,
    machine::{Machine, Signal},
    object::Range,
    word::Word,
};

pub(super) fn bind(machine: &mut Machine) {
    let class = machine.classes.range;
    primitives(
        machine,
        class,
        &[
            ("from", |machine, args| Ok(Word::computed(receiver(machine, args)?.from))),
            ("to", |machine, args| Ok(Word::computed(receiver(machine, args)?.to))),
            ("min", |machine, args| {
                let range = receiver(machine, args)?;
                Ok(Word::computed(range.from.min(range.to)))
            }),
            ("max", |machine, args| {
                let range = receiver(machine, args)?;
                Ok(Word::computed(range.from.max(range.to)))
            }),
            ("isInclusive", |machine, args| Ok(Word::boolean(receiver(machine, args)?.is_inclusive))),
            ("iterate(_)", iterate),
            ("iteratorValue(_)", |_, args| Ok(args[1])),
            ("toString", |machine, args| {
                let range = receiver(machine, args)?;
                let dots = if range.is_inclusive { ".." } else { "..." };
                let text = format!("{}{dots}{}", number::text(range.from), number::text(range.to));
                Ok(machine.text(&text))
            }),
        ],
    );
}

fn receiver(machine: &mut Machine, args: &[Word]) -> Result<Gc<Range>, Signal> {
    match args[0].get() {
        Some(range) => Ok(range),
        None => machine.fail("Receiver must be a range."),
    }
}

fn iterate(machine: &mut Machine, args: &[Word]) -> Result<Word, Signal> {
    let range = receiver(machine, args)?;
    let current = match args[1] {
        Word::NULL => None,
        given => match given.as_number() {
            Some(number) => Some(number),
            None => return machine.fail("Iterator must be a number."),
        },
    };
    Ok(range.next(current).map_or(Word::FALSE, Word::computed))
}
