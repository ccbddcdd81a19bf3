//! [`Range`]: from a number to another.

use super::{Class, Header, Kind};
use crate::heap::{Gc, Object};

#[repr(C)]
pub(crate) struct Range {
    header: Header,
    pub(crate) from: f64,
    pub(crate) to: f64,
    pub(crate) is_inclusive: bool,
}

// SAFETY: `repr(C)`, the header first, of this kind in `new`.
unsafe impl Object for Range {
    const KIND: Kind = Kind::Range;
}

impl Range {
    pub(crate) fn new(class: Gc<Class>, from: f64, to: f64, is_inclusive: bool) -> Self {
        Self { header: Header::new(Self::KIND, class), from, to, is_inclusive }
    }

    pub(crate) fn equals(&self, other: &Self) -> bool {
        self.from == other.from && self.to == other.to && self.is_inclusive == other.is_inclusive
    }

    /// The number after `current`, or the first one. `None` behind the last.
    #[inline(always)]
    pub(crate) fn next(&self, current: Option<f64>) -> Option<f64> {
        // An empty one, of which no number is part.
        if self.from == self.to && !self.is_inclusive {
            return None;
        }
        let Some(current) = current else { return Some(self.from) };
        let is_upwards = self.from < self.to;
        let next = if is_upwards { current + 1.0 } else { current - 1.0 };
        let is_beyond = if is_upwards { next > self.to } else { next < self.to };
        (!is_beyond && (self.is_inclusive || next != self.to)).then_some(next)
    }
}
