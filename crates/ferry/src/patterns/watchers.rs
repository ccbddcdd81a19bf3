//! [`Watchers`]: those who wait for the next change of something that stands under a lock.
//!
//! An event beside the lock could be set and cleared in another order than the thing itself changed. A watcher enters
//! under the same lock that it looked under, so it misses nothing.

use crate::promise::{Future, Promise, promise};

#[derive(Default)]
pub(crate) struct Watchers(Vec<Promise<()>>);

impl Watchers {
    /// A future that ends once these watchers are told.
    pub(crate) fn watch(&mut self) -> Future<()> {
        // Those who gave up are swept out before the list would grow.
        if self.0.len() == self.0.capacity() {
            self.0.retain(|watcher| watcher.state() == crate::State::Pending);
        }
        let (promise, future) = promise();
        self.0.push(promise);
        future
    }

    /// Takes them out, to be told once the lock is free.
    #[must_use = "tell them"]
    pub(crate) fn take(&mut self) -> Self {
        std::mem::take(self)
    }

    pub(crate) fn tell(self) {
        for watcher in self.0 {
            // One that gave up meanwhile need not know.
            let _ = watcher.complete(());
        }
    }
}
