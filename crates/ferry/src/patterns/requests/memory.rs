//! [`Memory`]: what is known of requests that are over, with a bound.

use std::{
    collections::{HashMap, VecDeque},
    hash::Hash,
};

pub(super) struct Memory<K, V> {
    /// Keys of requests that gave up, with the number of the request.
    gave_up: HashMap<K, u64>,
    /// The same in their order. A key that was forgotten, or gave up again, has an entry here that counts no more.
    order: VecDeque<(K, u64)>,
    unread: VecDeque<(K, V)>,
    bound: usize,
}

impl<K: Eq + Hash + Clone, V> Memory<K, V> {
    pub(super) fn new(bound: usize) -> Self {
        Self { gave_up: HashMap::new(), order: VecDeque::new(), unread: VecDeque::new(), bound }
    }

    pub(super) fn gave_up(&mut self, key: K, number: u64) {
        self.gave_up.insert(key.clone(), number);
        self.order.push_back((key, number));
        if self.order.len() > self.bound
            && let Some((key, number)) = self.order.pop_front()
            && self.gave_up.get(&key) == Some(&number)
        {
            self.gave_up.remove(&key);
        }
    }

    pub(super) fn has_given_up(&self, key: &K) -> bool {
        self.gave_up.contains_key(key)
    }

    /// A new request with this key is made.
    pub(super) fn forget(&mut self, key: &K) {
        self.gave_up.remove(key);
    }

    /// Keeps an answer that nobody read. Gives the oldest, where there are too many.
    pub(super) fn keep(&mut self, key: K, answer: V) -> Option<(K, V)> {
        self.unread.push_back((key, answer));
        if self.unread.len() > self.bound { self.unread.pop_front() } else { None }
    }

    pub(super) fn take_unread(&mut self) -> Vec<(K, V)> {
        std::mem::take(&mut self.unread).into()
    }
}
