//! [`Handle`]: a value that stays as long as somebody outside holds on to it.
//!
//! A handle is a number in a table that the machine shares with its handles; the collector takes the table for roots. So a
//! handle may go to another thread, outlive its machine, or be shown to another one, which will not take it.

use crate::word::Word;
use std::{
    fmt,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

/// The table.
#[derive(Default)]
pub(crate) struct Roots(Mutex<Table>);

#[derive(Default)]
struct Table {
    slots: Vec<Slot>,
    free: Vec<usize>,
}

#[derive(Clone, Copy)]
struct Slot {
    word: Word,
    /// So many handles stand for it. A free slot has none, and null.
    handles: usize,
}

impl Roots {
    fn table(&self) -> MutexGuard<'_, Table> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn each(&self, mut see: impl FnMut(Word)) {
        self.table().slots.iter().for_each(|slot| see(slot.word));
    }

    pub(crate) fn root(self: &Arc<Self>, word: Word) -> Handle {
        let mut table = self.table();
        let slot = Slot { word, handles: 1 };
        let index = match table.free.pop() {
            Some(index) => {
                table.slots[index] = slot;
                index
            }
            None => {
                table.slots.push(slot);
                table.slots.len() - 1
            }
        };
        Handle { roots: Arc::clone(self), index }
    }

    /// What a handle stands for, if it's one of this table.
    pub(crate) fn word(self: &Arc<Self>, handle: &Handle) -> Option<Word> {
        Arc::ptr_eq(self, &handle.roots).then(|| self.table().slots[handle.index].word)
    }
}

/// Any value of a [`Vm`](crate::Vm), held from outside.
///
/// As long as there is one, or a clone of it, its value is not collected. It's a number only: what it stands for is seen
/// through a [`Context`](crate::Context) of its own `Vm`.
pub struct Handle {
    roots: Arc<Roots>,
    index: usize,
}

impl Clone for Handle {
    fn clone(&self) -> Self {
        self.roots.table().slots[self.index].handles += 1;
        Self { roots: Arc::clone(&self.roots), index: self.index }
    }
}

impl Drop for Handle {
    fn drop(&mut self) {
        let mut table = self.roots.table();
        let slot = &mut table.slots[self.index];
        slot.handles -= 1;
        if slot.handles == 0 {
            slot.word = Word::NULL;
            table.free.push(self.index);
        }
    }
}

impl PartialEq for Handle {
    /// Whether they are the same handle, or clones of one.
    fn eq(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.roots, &other.roots) && self.index == other.index
    }
}

impl fmt::Debug for Handle {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Handle({})", self.index)
    }
}
