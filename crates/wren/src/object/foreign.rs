//! [`Foreign`]: an object of a foreign class, which holds something of the host's.

use super::{Class, Header, Kind};
use crate::heap::{Gc, Object};
use std::{any::Any, cell::Cell};

/// What the host put into an object.
pub(crate) type Held = Box<dyn Any + Send>;

#[repr(C)]
pub(crate) struct Foreign {
    header: Header,
    /// None before its constructor put something there, and while a method of it has it in hand.
    held: Cell<Option<Held>>,
    is_made: Cell<bool>,
    /// The bytes that it takes, with what the host put there.
    weight: Cell<usize>,
}

// SAFETY: `repr(C)`, the header first, of this kind in `new`.
unsafe impl Object for Foreign {
    const KIND: Kind = Kind::Foreign;

    fn extra_bytes(&self) -> usize {
        self.weight.get()
    }
}

impl Foreign {
    pub(crate) fn new(class: Gc<Class>) -> Self {
        Self {
            header: Header::new(Self::KIND, class),
            held: Cell::new(None),
            is_made: Cell::new(false),
            weight: Cell::new(0),
        }
    }

    pub(crate) fn take(&self) -> Option<Held> {
        self.held.take()
    }

    pub(crate) fn put(&self, held: Held) {
        self.is_made.set(true);
        self.held.set(Some(held));
    }

    /// What it holds takes so many bytes, which the heap must be told of.
    pub(crate) fn set_weight(&self, bytes: usize) {
        self.weight.set(bytes);
    }

    /// Whether its constructor has put something there.
    pub(crate) fn is_made(&self) -> bool {
        self.is_made.get()
    }
}
