//! Who waits for a promise: tasks, and callbacks, in one list in the order of arrival.
//!
//! One task that waits, by far the most common case, has its place in the cell itself, and needs no allocation.
//! All that come beside it, and every callback, stand in a queue on the heap, which is made for the first of
//! them and stays as long as the cell.

use super::Outcome;
use std::{
    collections::VecDeque,
    num::NonZeroU64,
    panic::{AssertUnwindSafe, catch_unwind},
    sync::atomic::{AtomicU64, Ordering},
    task::Waker,
};

/// The place of a task in the list. Whoever has one takes it out of the list, or sees the promise settled.
pub(super) type Key = NonZeroU64;

pub(super) type Callback<T> = Box<dyn FnOnce(&Outcome<T>) + Send>;

/// Names one callback of one promise, for [`Future::take_back`](super::Future::take_back).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CallbackKey {
    /// The number of the queue, which no other queue of this process has; 0 where nothing was queued.
    queue: u64,
    key: Key,
}

impl CallbackKey {
    /// Of a callback that was called at once.
    pub(super) const CALLED: Self = Self { queue: 0, key: FIRST };
}

/// The key of whoever stands in the cell itself. Keys of the queue are greater.
const FIRST: Key = Key::MIN;

/// Queues are numbered, so that the key of one promise's callback is no key of another's. This number is not
/// part of any protocol, so the model checker need not see it.
static NEXT_QUEUE: AtomicU64 = AtomicU64::new(1);

pub(super) struct Waiters<T> {
    first: Option<Waker>,
    /// Boxed, as most cells have none, and a queue is larger than the rest of a cell.
    queue: Option<Box<Queue<T>>>,
}

enum Waiter<T> {
    Task(Waker),
    Callback(Callback<T>),
}

struct Queue<T> {
    number: u64,
    /// Sorted by key; a waiter that left in the middle leaves an empty place.
    places: VecDeque<(Key, Option<Waiter<T>>)>,
    /// How many places are empty.
    empty: usize,
    next: Key,
}

impl<T> Waiters<T> {
    pub(super) const fn new() -> Self {
        Self { first: None, queue: None }
    }

    /// Gives back the waker that `waker` replaces.
    pub(super) fn register(&mut self, waiting: &mut Option<Key>, waker: Waker) -> Option<Waker> {
        if let Some(place) = waiting.and_then(|key| self.place(key)) {
            return Some(std::mem::replace(place, waker));
        }
        // The first place is only taken when nobody came earlier, so that the order stays that of arrival.
        if self.first.is_none() && self.queue.as_ref().is_none_or(|queue| queue.places.is_empty()) {
            self.first = Some(waker);
            *waiting = Some(FIRST);
        } else {
            *waiting = Some(self.queue().push(Waiter::Task(waker)));
        }
        None
    }

    pub(super) fn register_callback(&mut self, callback: Callback<T>) -> CallbackKey {
        let queue = self.queue();
        CallbackKey { queue: queue.number, key: queue.push(Waiter::Callback(callback)) }
    }

    /// Takes out a task.
    pub(super) fn remove(&mut self, key: Key) -> Option<Waker> {
        if key == FIRST {
            return self.first.take();
        }
        let queue = self.queue.as_mut()?;
        match queue.remove(queue.find(key)?) {
            Some(Waiter::Task(waker)) => Some(waker),
            _ => unreachable!("a task's key names that task"),
        }
    }

    /// Takes out a callback, if it is there.
    pub(super) fn remove_callback(&mut self, key: CallbackKey) -> Option<Callback<T>> {
        let queue = self.queue.as_mut().filter(|queue| queue.number == key.queue)?;
        match queue.remove(queue.find(key.key)?) {
            Some(Waiter::Callback(callback)) => Some(callback),
            _ => None,
        }
    }

    /// Takes them all out, if there are any.
    #[inline]
    pub(super) fn take(&mut self) -> Option<Self> {
        let none = self.first.is_none() && self.queue.is_none();
        (!none).then(|| std::mem::replace(self, Self::new()))
    }

    /// Wakes the tasks and calls the callbacks.
    pub(super) fn tell_all(self, outcome: &Outcome<T>) {
        if let Some(waker) = self.first {
            waker.wake();
        }
        let Some(queue) = self.queue else { return };
        for waiter in queue.places.into_iter().filter_map(|(_, waiter)| waiter) {
            match waiter {
                Waiter::Task(waker) => waker.wake(),
                Waiter::Callback(callback) => call(callback, outcome),
            }
        }
    }

    fn place(&mut self, key: Key) -> Option<&mut Waker> {
        if key == FIRST {
            return self.first.as_mut();
        }
        let queue = self.queue.as_mut()?;
        let at = queue.find(key)?;
        match &mut queue.places[at].1 {
            Some(Waiter::Task(waker)) => Some(waker),
            _ => None,
        }
    }

    fn queue(&mut self) -> &mut Queue<T> {
        self.queue.get_or_insert_with(|| Box::new(Queue::new()))
    }

    /// How many places the queue has, the empty ones among them.
    #[cfg(all(test, not(ferry_loom)))]
    pub(super) fn queued(&self) -> usize {
        self.queue.as_ref().map_or(0, |queue| queue.places.len())
    }
}

impl<T> Queue<T> {
    fn new() -> Self {
        let number = NEXT_QUEUE.fetch_add(1, Ordering::Relaxed);
        Self { number, places: VecDeque::new(), empty: 0, next: FIRST.saturating_add(1) }
    }

    fn push(&mut self, waiter: Waiter<T>) -> Key {
        let key = self.next;
        self.next = key.saturating_add(1);
        self.places.push_back((key, Some(waiter)));
        key
    }

    fn find(&self, key: Key) -> Option<usize> {
        self.places.binary_search_by_key(&key, |(key, _)| *key).ok()
    }

    fn remove(&mut self, at: usize) -> Option<Waiter<T>> {
        let waiter = self.places[at].1.take();
        self.empty += usize::from(waiter.is_some());
        // Empty places go once they are the greater part, so each costs a constant time on average.
        if self.empty * 2 > self.places.len() {
            self.places.retain(|(_, waiter)| waiter.is_some());
            self.empty = 0;
        }
        waiter
    }
}

/// Calls `callback`. Its panic was shown on stderr by the panic hook, and ends here, as others wait behind it.
pub(super) fn call<T>(callback: impl FnOnce(&Outcome<T>), outcome: &Outcome<T>) {
    let _ = catch_unwind(AssertUnwindSafe(|| callback(outcome)));
}
