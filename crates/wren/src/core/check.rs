//! What methods ask of their arguments, and how they say it.

use crate::{
    heap::Gc,
    machine::{Machine, Signal},
    object::{Range, Text},
    word::Word,
};

pub(super) fn number(machine: &mut Machine, value: Word, what: &str) -> Result<f64, Signal> {
    match value.as_number() {
        Some(number) => Ok(number),
        None => machine.fail(&format!("{what} must be a number.")),
    }
}

/// A whole number.
pub(super) fn integer(machine: &mut Machine, value: Word, what: &str) -> Result<f64, Signal> {
    let number = number(machine, value, what)?;
    whole(machine, number, what)
}

fn whole(machine: &mut Machine, number: f64, what: &str) -> Result<f64, Signal> {
    if number.trunc() == number { Ok(number) } else { machine.fail(&format!("{what} must be an integer.")) }
}

/// An index of something with so many elements; a negative one counts from the end.
pub(super) fn index(machine: &mut Machine, value: Word, count: usize, what: &str) -> Result<usize, Signal> {
    let number = number(machine, value, what)?;
    index_of(machine, number, count, what)
}

pub(super) fn index_of(
    machine: &mut Machine,
    number: f64,
    count: usize,
    what: &str,
) -> Result<usize, Signal> {
    let mut number = whole(machine, number, what)?;
    if number < 0.0 {
        number += count as f64;
    }
    if number >= 0.0 && number < count as f64 {
        return Ok(number as usize);
    }
    machine.fail(&format!("{what} out of bounds."))
}

pub(super) fn text(machine: &mut Machine, value: Word, what: &str) -> Result<Gc<Text>, Signal> {
    match value.get::<Text>() {
        Some(text) => Ok(text),
        None => machine.fail(&format!("{what} must be a string.")),
    }
}

/// The part of something that a range names: from an index on, so many elements, forwards or backwards.
pub(super) struct Part {
    pub(super) from: usize,
    pub(super) count: usize,
    pub(super) is_backwards: bool,
}

impl Part {
    /// The indices, in order.
    pub(super) fn indices(&self) -> impl Iterator<Item = usize> + use<> {
        let (from, is_backwards) = (self.from, self.is_backwards);
        (0..self.count).map(move |offset| if is_backwards { from - offset } else { from + offset })
    }
}

pub(super) fn part(machine: &mut Machine, range: Gc<Range>, count: usize) -> Result<Part, Signal> {
    let empty = |from| Ok(Part { from, count: 0, is_backwards: false });
    // At the end of a sequence an empty range is allowed.
    let end = if range.is_inclusive { -1.0 } else { count as f64 };
    if range.from == count as f64 && range.to == end {
        return empty(0);
    }
    let from = index_of(machine, range.from, count, "Range start")?;
    let mut to = whole(machine, range.to, "Range end")?;
    if to < 0.0 {
        to += count as f64;
    }
    if !range.is_inclusive {
        if to == from as f64 {
            return empty(from);
        }
        to += if to >= from as f64 { -1.0 } else { 1.0 };
    }
    if to < 0.0 || to >= count as f64 {
        return machine.fail("Range end out of bounds.");
    }
    let to = to as usize;
    Ok(Part { from, count: from.abs_diff(to) + 1, is_backwards: to < from })
}
