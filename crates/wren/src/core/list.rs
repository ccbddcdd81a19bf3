//! `List`.

use super::{check, meta, primitives};
use crate::{
    heap::Gc,
    machine::{Machine, Signal},
    object::{self, List, Range, Text},
    word::Word,
};

pub(super) fn bind(machine: &mut Machine) {
    let class = machine.classes.list;
    primitives(
        machine,
        meta(class),
        &[("new()", |machine, _| Ok(machine.new_list(Vec::new()))), ("filled(_,_)", filled)],
    );
    primitives(
        machine,
        class,
        &[
            ("[_]", get),
            ("[_]=(_)", set),
            ("add(_)", |machine, args| {
                push(machine, args)?;
                Ok(args[1])
            }),
            ("addCore_(_)", |machine, args| {
                push(machine, args)?;
                Ok(args[0])
            }),
            ("addList_(_)", add_list),
            ("clear()", |machine, args| {
                receiver(machine, args)?.clear(&mut machine.heap);
                Ok(Word::NULL)
            }),
            ("count", |machine, args| Ok(Word::number(receiver(machine, args)?.len() as f64))),
            ("indexOf(_)", |machine, args| {
                let place = receiver(machine, args)?.position(|item| object::same(item, args[1]));
                Ok(Word::number(place.map_or(-1.0, |place| place as f64)))
            }),
            ("insert(_,_)", insert),
            ("iterate(_)", iterate),
            ("iteratorValue(_)", |machine, args| {
                let list = receiver(machine, args)?;
                let index = check::index(machine, args[1], list.len(), "Iterator")?;
                Ok(list.get(index).unwrap_or(Word::NULL))
            }),
            ("joinStrings_(_)", join),
            ("remove(_)", |machine, args| {
                let list = receiver(machine, args)?;
                let place = list.position(|item| object::same(item, args[1]));
                Ok(place.and_then(|place| list.remove(place, &mut machine.heap)).unwrap_or(Word::NULL))
            }),
            ("removeAt(_)", |machine, args| {
                let list = receiver(machine, args)?;
                let index = check::index(machine, args[1], list.len(), "Index")?;
                Ok(list.remove(index, &mut machine.heap).unwrap_or(Word::NULL))
            }),
            ("repeat_(_)", repeat),
            ("swap(_,_)", |machine, args| {
                let list = receiver(machine, args)?;
                let a = check::index(machine, args[1], list.len(), "Index 0")?;
                let b = check::index(machine, args[2], list.len(), "Index 1")?;
                list.swap(a, b);
                Ok(Word::NULL)
            }),
        ],
    );
}

fn receiver(machine: &mut Machine, args: &[Word]) -> Result<Gc<List>, Signal> {
    match args[0].get() {
        Some(list) => Ok(list),
        None => machine.fail("Receiver must be a list."),
    }
}

fn push(machine: &mut Machine, args: &[Word]) -> Result<(), Signal> {
    let list = receiver(machine, args)?;
    machine.reserve(list.growth(1))?;
    list.push(args[1], &mut machine.heap);
    Ok(())
}

fn filled(machine: &mut Machine, args: &[Word]) -> Result<Word, Signal> {
    let size = check::integer(machine, args[1], "Size")?;
    if size < 0.0 {
        return machine.fail("Size cannot be negative.");
    }
    let bytes = size * 8.0;
    machine.reserve(if bytes < usize::MAX as f64 { bytes as usize } else { usize::MAX })?;
    Ok(machine.new_list(vec![args[2]; size as usize]))
}

fn get(machine: &mut Machine, args: &[Word]) -> Result<Word, Signal> {
    let list = receiver(machine, args)?;
    if args[1].is_number() {
        let index = check::index(machine, args[1], list.len(), "Subscript")?;
        return Ok(list.get(index).unwrap_or(Word::NULL));
    }
    let Some(range) = args[1].get::<Range>() else {
        return machine.fail("Subscript must be a number or a range.");
    };
    let part = check::part(machine, range, list.len())?;
    machine.reserve(part.count * 8)?;
    let items = part.indices().filter_map(|index| list.get(index)).collect();
    Ok(machine.new_list(items))
}

fn set(machine: &mut Machine, args: &[Word]) -> Result<Word, Signal> {
    let list = receiver(machine, args)?;
    let index = check::index(machine, args[1], list.len(), "Subscript")?;
    list.set(index, args[2]);
    Ok(args[2])
}

fn add_list(machine: &mut Machine, args: &[Word]) -> Result<Word, Signal> {
    let list = receiver(machine, args)?;
    let Some(other) = args[1].get::<List>() else { return machine.fail("Argument must be a list.") };
    machine.reserve(list.growth(other.len()))?;
    list.extend(&other.to_vec(), &mut machine.heap);
    Ok(args[1])
}

fn insert(machine: &mut Machine, args: &[Word]) -> Result<Word, Signal> {
    let list = receiver(machine, args)?;
    // Behind the last one as well.
    let index = check::index(machine, args[1], list.len() + 1, "Index")?;
    machine.reserve(list.growth(1))?;
    list.insert(index, args[2], &mut machine.heap);
    Ok(args[2])
}

fn iterate(machine: &mut Machine, args: &[Word]) -> Result<Word, Signal> {
    let list = receiver(machine, args)?;
    if args[1].is_null() {
        return Ok(if list.len() == 0 { Word::FALSE } else { Word::number(0.0) });
    }
    let index = check::integer(machine, args[1], "Iterator")?;
    let is_within = index >= 0.0 && index + 1.0 < list.len() as f64;
    Ok(if is_within { Word::computed(index + 1.0) } else { Word::FALSE })
}

fn join(machine: &mut Machine, args: &[Word]) -> Result<Word, Signal> {
    let list = receiver(machine, args)?;
    let separator = check::text(machine, args[1], "Separator")?;
    let mut size = separator.len().saturating_mul(list.len().saturating_sub(1));
    let items = list.to_vec();
    for &item in &items {
        size = size.saturating_add(check::text(machine, item, "Right operand")?.len());
    }
    machine.reserve(size)?;
    let mut joined = Vec::with_capacity(size);
    for (place, item) in items.into_iter().enumerate() {
        if place > 0 {
            joined.extend_from_slice(separator.bytes());
        }
        if let Some(text) = item.get::<Text>() {
            joined.extend_from_slice(text.bytes());
        }
    }
    Ok(machine.new_text(joined))
}

fn repeat(machine: &mut Machine, args: &[Word]) -> Result<Word, Signal> {
    let list = receiver(machine, args)?;
    let count = check::integer(machine, args[1], "Count")?;
    let bytes = count * list.len() as f64 * 8.0;
    machine.reserve(if bytes < usize::MAX as f64 { bytes as usize } else { usize::MAX })?;
    let items = list.to_vec().repeat(if list.len() == 0 { 0 } else { count as usize });
    Ok(machine.new_list(items))
}
