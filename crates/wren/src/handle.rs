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
    words: Vec<Word>,
    free: Vec<usize>,
}

impl Roots {
    fn table(&self) -> MutexGuard<'_, Table> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn each(&self, mut see: impl FnMut(Word)) {
        self.table().words.iter().for_each(|word| see(*word));
    }

    pub(crate) fn root(self: &Arc<Self>, word: Word) -> Handle {
        let mut table = self.table();
        let index = match table.free.pop() {
            Some(index) => {
                table.words[index] = word;
                index
            }
            None => {
                table.words.push(word);
                table.words.len() - 1
            }
        };
        Handle(Arc::new(Rooted { roots: Arc::clone(self), index }))
    }

    /// What a handle stands for, if it's one of this table.
    pub(crate) fn word(self: &Arc<Self>, handle: &Handle) -> Option<Word> {
        Arc::ptr_eq(self, &handle.0.roots).then(|| self.table().words[handle.0.index])
    }
}

/// Any value of a [`Vm`](crate::Vm), held from outside.
///
/// As long as there is one, or a clone of it, its value is not collected. It's a number only: what it stands for is seen
/// through a [`Context`](crate::Context) of its own `Vm`.
#[derive(Clone)]
pub struct Handle(Arc<Rooted>);

struct Rooted {
    roots: Arc<Roots>,
    index: usize,
}

impl Drop for Rooted {
    fn drop(&mut self) {
        let mut table = self.roots.table();
        table.words[self.index] = Word::NULL;
        table.free.push(self.index);
    }
}

impl PartialEq for Handle {
    /// Whether they are the same handle, or clones of one.
    fn eq(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.0, &other.0)
    }
}

impl fmt::Debug for Handle {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Handle({})", self.0.index)
    }
}
