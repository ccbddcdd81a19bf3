//! `Map`.

use super::{check, meta, primitives};
use crate::{
    heap::Gc,
    machine::{Machine, Signal},
    object::{Class, Map, Range, Text},
    word::Word,
};

pub(super) fn bind(machine: &mut Machine) {
    let class = machine.classes.map;
    primitives(machine, meta(class), &[("new()", |machine, _| Ok(Word::object(machine.new_map())))]);
    primitives(
        machine,
        class,
        &[
            ("[_]", |machine, args| {
                let map = receiver(machine, args)?;
                let key = key(machine, args[1])?;
                Ok(map.get(key).unwrap_or(Word::NULL))
            }),
            ("[_]=(_)", |machine, args| {
                insert(machine, args)?;
                Ok(args[2])
            }),
            ("addCore_(_,_)", |machine, args| {
                insert(machine, args)?;
                Ok(args[0])
            }),
            ("clear()", |machine, args| {
                receiver(machine, args)?.clear(&mut machine.heap);
                Ok(Word::NULL)
            }),
            ("containsKey(_)", |machine, args| {
                let map = receiver(machine, args)?;
                let key = key(machine, args[1])?;
                Ok(Word::boolean(map.get(key).is_some()))
            }),
            ("count", |machine, args| Ok(Word::number(receiver(machine, args)?.len() as f64))),
            ("remove(_)", |machine, args| {
                let map = receiver(machine, args)?;
                let key = key(machine, args[1])?;
                Ok(map.remove(key, &mut machine.heap).unwrap_or(Word::NULL))
            }),
            ("iterate(_)", iterate),
            ("keyIteratorValue_(_)", |machine, args| Ok(entry(machine, args)?.0)),
            ("valueIteratorValue_(_)", |machine, args| Ok(entry(machine, args)?.1)),
        ],
    );
}

fn receiver(machine: &mut Machine, args: &[Word]) -> Result<Gc<Map>, Signal> {
    match args[0].get() {
        Some(map) => Ok(map),
        None => machine.fail("Receiver must be a map."),
    }
}

/// What may be a key: what doesn't change.
pub(crate) fn is_key(value: Word) -> bool {
    !value.is_object() || value.is::<Text>() || value.is::<Range>() || value.is::<Class>()
}

fn key(machine: &mut Machine, value: Word) -> Result<Word, Signal> {
    if is_key(value) { Ok(value) } else { machine.fail("Key must be a value type.") }
}

fn insert(machine: &mut Machine, args: &[Word]) -> Result<(), Signal> {
    let map = receiver(machine, args)?;
    let key = key(machine, args[1])?;
    machine.reserve(map.growth())?;
    map.insert(key, args[2], &mut machine.heap);
    Ok(())
}

fn iterate(machine: &mut Machine, args: &[Word]) -> Result<Word, Signal> {
    let map = receiver(machine, args)?;
    let from = match args[1] {
        Word::NULL => 0,
        given => {
            let last = check::integer(machine, given, "Iterator")?;
            if last < 0.0 {
                return Ok(Word::FALSE);
            }
            last as usize + 1
        }
    };
    Ok(map.next_from(from).map_or(Word::FALSE, |index| Word::number(index as f64)))
}

fn entry(machine: &mut Machine, args: &[Word]) -> Result<(Word, Word), Signal> {
    let map = receiver(machine, args)?;
    let number = check::integer(machine, args[1], "Iterator")?;
    let entry = (number >= 0.0).then(|| map.entry(number as usize)).flatten();
    match entry {
        Some(entry) => Ok(entry),
        None => machine.fail("Iterator out of bounds."),
    }
}
