//! Where a queue keeps its items, and in which order it gives them.

use std::{
    cmp::{Ordering, Reverse},
    collections::{BinaryHeap, VecDeque},
};

/// What a [`QueueWith`](super::QueueWith) keeps its items in: [`Fifo`], [`Lifo`] or [`Priority`].
pub trait Storage<T>: Default + sealed::Sealed {
    /// Adds an item.
    #[doc(hidden)]
    fn push(&mut self, item: T);
    /// Takes the item whose turn it is.
    #[doc(hidden)]
    fn pop(&mut self) -> Option<T>;
    /// How many items there are.
    #[doc(hidden)]
    fn count(&self) -> usize;
    /// Shows all of them.
    #[doc(hidden)]
    fn each(&self, look: &mut dyn FnMut(&T));
}

mod sealed {
    pub trait Sealed {}
    impl<T> Sealed for super::Fifo<T> {}
    impl<T> Sealed for super::Lifo<T> {}
    impl<T> Sealed for super::Priority<T> {}
}

/// The oldest item first.
#[derive(Debug)]
pub struct Fifo<T>(VecDeque<T>);

/// The youngest item first.
#[derive(Debug)]
pub struct Lifo<T>(Vec<T>);

/// The least item first, and of equal ones the oldest.
#[derive(Debug)]
pub struct Priority<T> {
    heap: BinaryHeap<Reverse<Ranked<T>>>,
    next: u64,
}

#[derive(Debug)]
struct Ranked<T> {
    item: T,
    number: u64,
}

impl<T> Default for Fifo<T> {
    fn default() -> Self {
        Self(VecDeque::new())
    }
}

impl<T> Default for Lifo<T> {
    fn default() -> Self {
        Self(Vec::new())
    }
}

impl<T: Ord> Default for Priority<T> {
    fn default() -> Self {
        Self { heap: BinaryHeap::new(), next: 0 }
    }
}

impl<T> Storage<T> for Fifo<T> {
    #[inline]
    fn push(&mut self, item: T) {
        self.0.push_back(item);
    }

    #[inline]
    fn pop(&mut self) -> Option<T> {
        self.0.pop_front()
    }

    #[inline]
    fn count(&self) -> usize {
        self.0.len()
    }

    fn each(&self, look: &mut dyn FnMut(&T)) {
        self.0.iter().for_each(look);
    }
}

impl<T> Storage<T> for Lifo<T> {
    #[inline]
    fn push(&mut self, item: T) {
        self.0.push(item);
    }

    #[inline]
    fn pop(&mut self) -> Option<T> {
        self.0.pop()
    }

    #[inline]
    fn count(&self) -> usize {
        self.0.len()
    }

    fn each(&self, look: &mut dyn FnMut(&T)) {
        self.0.iter().for_each(look);
    }
}

impl<T: Ord> Storage<T> for Priority<T> {
    #[inline]
    fn push(&mut self, item: T) {
        let number = self.next;
        self.next += 1;
        self.heap.push(Reverse(Ranked { item, number }));
    }

    #[inline]
    fn pop(&mut self) -> Option<T> {
        self.heap.pop().map(|Reverse(ranked)| ranked.item)
    }

    #[inline]
    fn count(&self) -> usize {
        self.heap.len()
    }

    fn each(&self, look: &mut dyn FnMut(&T)) {
        self.heap.iter().for_each(|Reverse(ranked)| look(&ranked.item));
    }
}

impl<T: Ord> Ord for Ranked<T> {
    fn cmp(&self, other: &Self) -> Ordering {
        self.item.cmp(&other.item).then(self.number.cmp(&other.number))
    }
}

impl<T: Ord> PartialOrd for Ranked<T> {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl<T: Ord> PartialEq for Ranked<T> {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other) == Ordering::Equal
    }
}

impl<T: Ord> Eq for Ranked<T> {}
