//! [`Promise`] and [`Future`]: the one crossing point of all languages.
//!
//! A promise is settled once, by anyone who holds one of its two ends, on any thread; a future is awaited by
//! many. Each bridge is an adapter from a `Future` to its host's own way of waiting.
//!
//! ```text
//!                complete(value)    ┌─▶ 1 Completed
//!   0 Pending ──────────────────────┼─▶ 2 Failed      fail(error)
//!                                   └─▶ 3 Cancelled   cancel(message), or an end is gone:
//!                                         - the last Promise dropped: nobody can settle it any more
//!                                         - the last Future dropped: nobody waits any more
//! ```
//!
//! Who owns what: both ends share one cell. The waiters' list, and the right to settle, stand under the
//! cell's lock; `state` is written once, under that lock and after the outcome, and read without it. From
//! then on the outcome never changes, so it is read by reference as long as an end lives. Wakers are called
//! in the order in which they came, after the lock is free.

use crate::{
    error::Failure,
    model::{Arc, AtomicU8, AtomicUsize, Mutex, Ordering, UnsafeCell, lock},
};
use std::{
    collections::VecDeque,
    error::Error,
    fmt,
    pin::Pin,
    task::{Context, Poll, Waker},
};

/// How a settled promise ended.
pub type Outcome<T> = Result<T, Failure>;

/// Where a promise stands. The numbers are the same in every language.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum State {
    /// Not settled yet.
    Pending = 0,
    /// Settled with a value.
    Completed = 1,
    /// Settled with an error.
    Failed = 2,
    /// Cancelled, by either end.
    Cancelled = 3,
}

/// Makes a pending promise: the end that settles it, and the end that awaits it.
///
/// ```
/// use asyncferry::{AsyncRuntime, promise};
///
/// let (promise, future) = promise();
/// std::thread::spawn(move || promise.complete(42));
/// assert_eq!(AsyncRuntime::block_on(future).unwrap(), 42);
/// ```
pub fn promise<T>() -> (Promise<T>, Future<T>) {
    let cell = Arc::new(Cell {
        state: AtomicU8::new(State::Pending as u8),
        outcome: UnsafeCell::new(None),
        waiters: Mutex::new(Waiters::default()),
        promises: AtomicUsize::new(1),
        futures: AtomicUsize::new(1),
    });
    (Promise { cell: cell.clone() }, Future { cell, waiting: None })
}

/// The end that settles. Clones settle the same promise; the first to do so wins. When the last is dropped
/// unsettled, the waiters see [`Failure::Cancelled`].
pub struct Promise<T> {
    cell: Arc<Cell<T>>,
}

impl<T> Promise<T> {
    /// Settles the promise with `value`.
    ///
    /// # Errors
    /// The value comes back when the promise is settled already.
    pub fn complete(&self, value: T) -> Result<(), T> {
        self.settle(Ok(value)).map_err(|outcome| outcome.unwrap_or_else(|_| unreachable!("it was Ok")))
    }

    /// Fails the promise with `error`; `false` when it's settled already. See [`Failure::from_error`] for
    /// what becomes of it.
    pub fn fail(&self, error: impl Into<Box<dyn Error + Send + Sync>>) -> bool {
        self.settle(Err(Failure::from_error(error))).is_ok()
    }

    /// Cancels the promise with `message` (empty: none); `false` when it's settled already.
    pub fn cancel(&self, message: &str) -> bool {
        self.settle(Err(Failure::cancelled(message))).is_ok()
    }

    /// Settles the promise with `outcome`.
    ///
    /// # Errors
    /// The outcome comes back when the promise is settled already.
    pub fn settle(&self, outcome: Outcome<T>) -> Result<(), Outcome<T>> {
        self.cell.settle(outcome)
    }

    /// Where the promise stands now.
    pub fn state(&self) -> State {
        self.cell.state()
    }

    /// Waits until the promise is settled, by whichever end: how the working side learns that it was
    /// cancelled or that nobody waits any more.
    ///
    /// # Cancel safety
    /// Dropping the returned future half-way changes nothing.
    pub fn settled(&self) -> Settled<'_, T> {
        Settled { cell: &self.cell, waiting: None }
    }
}

impl<T> Clone for Promise<T> {
    fn clone(&self) -> Self {
        self.cell.promises.fetch_add(1, Ordering::Relaxed);
        Self { cell: self.cell.clone() }
    }
}

impl<T> Drop for Promise<T> {
    fn drop(&mut self) {
        self.cell.leave(&self.cell.promises, "the promise was dropped before it was settled");
    }
}

/// The end that awaits. Each clone awaits the same outcome; when the last is dropped, a pending promise is
/// cancelled.
///
/// Awaiting it needs `T: Clone`, as there may be many waiters; share what can't be cloned in an `Arc`, or
/// use [`poll_settled`](Self::poll_settled) and [`get`](Self::get), which lend the outcome.
///
/// # Cancel safety
/// Dropping it while it waits takes its waiter out of the list; another clone still gets the outcome.
pub struct Future<T> {
    cell: Arc<Cell<T>>,
    waiting: Option<u64>,
}

impl<T> Future<T> {
    /// Where the promise stands now.
    pub fn state(&self) -> State {
        self.cell.state()
    }

    /// The outcome, if the promise is settled.
    pub fn get(&self) -> Option<&Outcome<T>> {
        self.cell.get()
    }

    /// Cancels the promise with `message` (empty: none), as its settling end can; `false` when it is
    /// settled already.
    pub fn cancel(&self, message: &str) -> bool {
        self.cell.settle(Err(Failure::cancelled(message))).is_ok()
    }

    /// Ready once the promise is settled; until then the task of `cx` is woken when it is.
    pub fn poll_settled(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        self.cell.poll_settled(&mut self.waiting, cx.waker())
    }
}

impl<T: Clone> std::future::Future for Future<T> {
    type Output = Outcome<T>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        self.poll_settled(cx).map(|()| self.get().cloned().unwrap_or_else(|| unreachable!("it is settled")))
    }
}

impl<T> Clone for Future<T> {
    fn clone(&self) -> Self {
        self.cell.futures.fetch_add(1, Ordering::Relaxed);
        Self { cell: self.cell.clone(), waiting: None }
    }
}

impl<T> Drop for Future<T> {
    fn drop(&mut self) {
        self.cell.forget(&mut self.waiting);
        self.cell.leave(&self.cell.futures, "nobody waits for it any more");
    }
}

/// What [`Promise::settled`] returns.
#[must_use = "futures do nothing unless awaited"]
pub struct Settled<'a, T> {
    cell: &'a Cell<T>,
    waiting: Option<u64>,
}

impl<T> std::future::Future for Settled<'_, T> {
    type Output = State;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<State> {
        let this = &mut *self;
        this.cell.poll_settled(&mut this.waiting, cx.waker()).map(|()| this.cell.state())
    }
}

impl<T> Drop for Settled<'_, T> {
    fn drop(&mut self) {
        self.cell.forget(&mut self.waiting);
    }
}

impl<T> fmt::Debug for Promise<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Promise").field("state", &self.state()).finish()
    }
}

impl<T> fmt::Debug for Future<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Future").field("state", &self.state()).finish()
    }
}

struct Cell<T> {
    state: AtomicU8,
    outcome: UnsafeCell<Option<Outcome<T>>>,
    waiters: Mutex<Waiters>,
    promises: AtomicUsize,
    futures: AtomicUsize,
}

// SAFETY: `outcome` is written once, under the lock, before `state` leaves Pending with Release; it's read
// only after `state` was read as settled with Acquire, and never written again. So references to it may be
// shared (T: Sync), and it may be made on one thread and dropped on another (T: Send).
unsafe impl<T: Send + Sync> Sync for Cell<T> {}
// SAFETY: as above.
unsafe impl<T: Send> Send for Cell<T> {}

impl<T> Cell<T> {
    fn state(&self) -> State {
        match self.state.load(Ordering::Acquire) {
            0 => State::Pending,
            1 => State::Completed,
            2 => State::Failed,
            _ => State::Cancelled,
        }
    }

    fn get(&self) -> Option<&Outcome<T>> {
        if self.state() == State::Pending {
            return None;
        }
        // SAFETY: the state is settled, so the outcome was written before and is never written again.
        self.outcome.with(|outcome| unsafe { (*outcome).as_ref() })
    }

    fn settle(&self, outcome: Outcome<T>) -> Result<(), Outcome<T>> {
        let state = match &outcome {
            Ok(_) => State::Completed,
            Err(Failure::Failed(_)) => State::Failed,
            Err(Failure::Cancelled(_)) => State::Cancelled,
        };
        let waiters = {
            let mut waiters = lock(&self.waiters);
            if self.state() != State::Pending {
                return Err(outcome);
            }
            // SAFETY: the state is Pending, so nobody reads the outcome, and we hold the lock, so nobody
            // else writes it.
            self.outcome.with_mut(|slot| unsafe { *slot = Some(outcome) });
            self.state.store(state as u8, Ordering::Release);
            std::mem::take(&mut *waiters)
        };
        waiters.wake_all();
        Ok(())
    }

    fn poll_settled(&self, waiting: &mut Option<u64>, waker: &Waker) -> Poll<()> {
        if self.state() != State::Pending {
            *waiting = None;
            return Poll::Ready(());
        }
        let mut waiters = lock(&self.waiters);
        if self.state() != State::Pending {
            *waiting = None;
            return Poll::Ready(());
        }
        // As in `forget`, a waker that was replaced is dropped after the lock is free.
        let stale = waiters.register(waiting, waker);
        drop(waiters);
        drop(stale);
        Poll::Pending
    }

    /// Takes a waiter that gave up out of the list.
    fn forget(&self, waiting: &mut Option<u64>) {
        if let Some(key) = waiting.take()
            && self.state() == State::Pending
        {
            // The waker is dropped after the lock is free: it may own what drops an end of this promise.
            let waker = lock(&self.waiters).remove(key);
            drop(waker);
        }
    }

    /// One handle of an end goes; with the last, a pending promise is cancelled.
    fn leave(&self, end: &AtomicUsize, why: &str) {
        if end.fetch_sub(1, Ordering::AcqRel) == 1 && self.state() == State::Pending {
            // Settled meanwhile by the other end: then that is how it ended.
            let _ = self.settle(Err(Failure::cancelled(why)));
        }
    }
}

/// Who waits, in the order of arrival. One waiter, by far the most common case, needs no allocation.
#[derive(Default)]
struct Waiters {
    first: Option<(u64, Waker)>,
    /// Sorted by key; a waiter that left in the middle leaves an empty place.
    rest: VecDeque<(u64, Option<Waker>)>,
    /// How many places of `rest` are empty.
    empty: usize,
    next: u64,
}

impl Waiters {
    /// Gives back the waker that `waker` replaces.
    fn register(&mut self, waiting: &mut Option<u64>, waker: &Waker) -> Option<Waker> {
        if let Some(place) = waiting.and_then(|key| self.place(key)) {
            return (!place.will_wake(waker)).then(|| std::mem::replace(place, waker.clone()));
        }
        let key = self.next;
        self.next += 1;
        *waiting = Some(key);
        // The first place is only taken when nobody came earlier, so that the order stays that of arrival.
        if self.first.is_none() && self.rest.is_empty() {
            self.first = Some((key, waker.clone()));
        } else {
            self.rest.push_back((key, Some(waker.clone())));
        }
        None
    }

    fn place(&mut self, key: u64) -> Option<&mut Waker> {
        match &mut self.first {
            Some((first, waker)) if *first == key => Some(waker),
            _ => {
                let at = self.rest.binary_search_by_key(&key, |(key, _)| *key).ok()?;
                self.rest[at].1.as_mut()
            }
        }
    }

    fn remove(&mut self, key: u64) -> Option<Waker> {
        if self.first.as_ref().is_some_and(|(first, _)| *first == key) {
            return self.first.take().map(|(_, waker)| waker);
        }
        let at = self.rest.binary_search_by_key(&key, |(key, _)| *key).ok()?;
        let waker = self.rest[at].1.take();
        self.empty += usize::from(waker.is_some());
        // Empty places go once they are the greater part, so each costs a constant time on average.
        if self.empty * 2 > self.rest.len() {
            self.rest.retain(|(_, waker)| waker.is_some());
            self.empty = 0;
        }
        waker
    }

    fn wake_all(self) {
        if let Some((_, waker)) = self.first {
            waker.wake();
        }
        for waker in self.rest.into_iter().filter_map(|(_, waker)| waker) {
            waker.wake();
        }
    }
}

#[cfg(all(test, not(ferry_loom)))]
#[allow(clippy::unwrap_used, reason = "a test fails by panicking")]
mod tests {
    use super::*;
    use futures_lite::future::{block_on, poll_once};
    use std::sync::{Arc, Mutex, mpsc};
    use std::task::Wake;

    struct Note(u32, Arc<Mutex<Vec<u32>>>);

    impl Wake for Note {
        fn wake(self: Arc<Self>) {
            self.1.lock().unwrap().push(self.0);
        }
    }

    fn wait(future: &mut Future<u32>, number: u32, log: &Arc<Mutex<Vec<u32>>>) {
        let waker = Waker::from(Arc::new(Note(number, log.clone())));
        assert!(future.poll_settled(&mut Context::from_waker(&waker)).is_pending());
    }

    #[test]
    fn the_first_to_settle_wins() {
        let (promise, future) = promise();
        assert_eq!(promise.state(), State::Pending);
        assert_eq!(promise.clone().complete(1), Ok(()));
        assert_eq!(promise.complete(2), Err(2));
        assert!(!promise.fail("late") && !promise.cancel("late") && !future.cancel("late"));
        assert_eq!(future.state(), State::Completed);
        assert_eq!(block_on(future).unwrap(), 1);
    }

    #[test]
    fn an_error_keeps_what_it_was() {
        let (promise, future) = promise::<()>();
        assert!(promise.fail(std::io::Error::from(std::io::ErrorKind::NotFound)));
        let Err(Failure::Failed(error)) = block_on(future.clone()) else { panic!("it should have failed") };
        assert_eq!(error.downcast_ref::<std::io::Error>().unwrap().kind(), std::io::ErrorKind::NotFound);
        assert_eq!(future.state(), State::Failed);
    }

    #[test]
    fn a_cancellation_keeps_its_message() {
        let (promise, future) = promise::<()>();
        assert!(future.cancel("enough"));
        assert_eq!(promise.state(), State::Cancelled);
        assert_eq!(block_on(future).unwrap_err().to_string(), "cancelled: enough");
    }

    #[test]
    fn a_dropped_promise_cancels_its_waiters() {
        let (promise, future) = promise::<()>();
        let other = promise.clone();
        drop(promise);
        assert_eq!(future.state(), State::Pending);
        drop(other);
        assert_eq!(future.state(), State::Cancelled);
    }

    #[test]
    fn the_last_waiter_gone_cancels_the_promise() {
        let (promise, future) = promise::<()>();
        let mut settled = Box::pin(promise.settled());
        assert_eq!(block_on(poll_once(&mut settled)), None);
        let other = future.clone();
        drop(future);
        assert_eq!(promise.state(), State::Pending);
        drop(other);
        assert_eq!(block_on(settled), State::Cancelled);
    }

    #[test]
    fn waiters_are_woken_in_the_order_in_which_they_came() {
        let log = Arc::default();
        let (promise, future) = promise();
        let mut waiting: Vec<_> = (0..100).map(|_| future.clone()).collect();
        for (number, future) in (0..).zip(&mut waiting) {
            wait(future, number, &log);
        }
        // Those that give up, the first among them, leave the others in order; a late one comes last.
        let mut place = 0..;
        waiting.retain(|_| place.next().unwrap_or(0) % 3 != 0);
        let mut late = future.clone();
        wait(&mut late, 100, &log);
        promise.complete(7).unwrap();
        let expected: Vec<_> = (0..100).filter(|number| number % 3 != 0).chain([100]).collect();
        assert_eq!(*log.lock().unwrap(), expected);
    }

    #[test]
    fn a_waiter_that_moves_keeps_one_place() {
        let log = Arc::default();
        let (promise, mut future) = promise();
        wait(&mut future, 1, &log);
        wait(&mut future, 2, &log);
        promise.complete(0).unwrap();
        assert_eq!(*log.lock().unwrap(), [2]);
    }

    #[test]
    fn places_of_waiters_that_left_are_given_back() {
        let (promise, future) = promise::<u32>();
        let log = Arc::default();
        let mut oldest = future.clone();
        wait(&mut oldest, 0, &log);
        let mut previous = future.clone();
        wait(&mut previous, 0, &log);
        for _ in 0..if cfg!(miri) { 100 } else { 10_000 } {
            let mut next = future.clone();
            wait(&mut next, 0, &log);
            previous = next;
        }
        assert!(lock(&promise.cell.waiters).rest.len() < 10);
        drop((oldest, previous));
    }

    #[test]
    fn settled_on_another_thread_while_many_wait() {
        let (promise, future) = promise();
        let (sender, receiver) = mpsc::channel();
        let waiters: Vec<_> = (0..4)
            .map(|_| {
                let (future, sender) = (future.clone(), sender.clone());
                std::thread::spawn(move || {
                    sender.send(()).unwrap();
                    block_on(future).unwrap()
                })
            })
            .collect();
        for _ in 0..4 {
            receiver.recv().unwrap();
        }
        promise.complete("done".to_owned()).unwrap();
        for waiter in waiters {
            assert_eq!(waiter.join().unwrap(), "done");
        }
    }

    /// Owns an end of the promise that it waits for, as a waker of a combinator does.
    struct OwnsFuture(#[expect(dead_code, reason = "owned for its destructor")] Mutex<Future<u32>>);

    impl Wake for OwnsFuture {
        fn wake(self: Arc<Self>) {}
    }

    #[test]
    fn a_waker_that_owns_an_end_may_be_replaced_by_another() {
        let (promise, mut future) = promise();
        let waker = Waker::from(Arc::new(OwnsFuture(Mutex::new(future.clone()))));
        assert!(future.poll_settled(&mut Context::from_waker(&waker)).is_pending());
        drop(waker);
        // Polled by someone else, only the promise holds the first waker: it goes, and does not deadlock.
        assert!(future.poll_settled(&mut Context::from_waker(Waker::noop())).is_pending());
        promise.complete(1).unwrap();
    }

    #[test]
    fn what_cant_be_cloned_is_lent() {
        struct NoClone(u32);
        let (promise, mut future) = promise();
        assert!(future.get().is_none());
        promise.settle(Ok(NoClone(3))).unwrap_or_else(|_| panic!("it was pending"));
        assert!(future.poll_settled(&mut Context::from_waker(Waker::noop())).is_ready());
        assert_eq!(future.get().unwrap().as_ref().unwrap().0, 3);
        let Err(Ok(NoClone(given_back))) = promise.settle(Ok(NoClone(4))) else { panic!("it was settled") };
        assert_eq!((given_back, future.get().unwrap().as_ref().unwrap().0), (4, 3));
    }

    #[test]
    fn the_outcome_is_dropped_once_with_the_last_end() {
        let counted = Arc::new(());
        let (promise, future) = promise();
        promise.complete(counted.clone()).unwrap();
        let other = future.clone();
        drop((promise, future));
        assert_eq!(Arc::strong_count(&counted), 2);
        drop(other);
        assert_eq!(Arc::strong_count(&counted), 1);
    }

    #[test]
    fn a_settled_future_may_be_awaited_again() {
        let (promise, mut future) = promise();
        promise.complete(9).unwrap();
        assert_eq!(block_on(&mut future).unwrap(), 9);
        assert_eq!(block_on(&mut future).unwrap(), 9);
        assert_eq!(block_on(promise.settled()), State::Completed);
    }

    #[test]
    fn one_of_many_settlers_on_many_threads_wins() {
        for _ in 0..if cfg!(miri) { 3 } else { 200 } {
            let (promise, future) = promise();
            let settlers: Vec<_> = (0..4)
                .map(|number| {
                    let promise = promise.clone();
                    std::thread::spawn(move || promise.complete(number).is_ok().then_some(number))
                })
                .collect();
            let seen = block_on(future).unwrap();
            let won: Vec<_> = settlers.into_iter().filter_map(|settler| settler.join().unwrap()).collect();
            assert_eq!(won, [seen]);
        }
    }

    #[test]
    fn waiters_that_leave_while_it_is_settled_harm_nobody() {
        for _ in 0..if cfg!(miri) { 3 } else { 200 } {
            let (promise, future) = promise();
            let leavers: Vec<_> = (0..3)
                .map(|_| {
                    let mut leaving = future.clone();
                    std::thread::spawn(move || {
                        let _ = leaving.poll_settled(&mut Context::from_waker(Waker::noop()));
                    })
                })
                .collect();
            promise.complete("kept".to_owned()).unwrap();
            assert_eq!(block_on(future).unwrap(), "kept");
            leavers.into_iter().for_each(|leaver| leaver.join().unwrap());
        }
    }
}

#[cfg(all(test, ferry_loom))]
mod loom_tests {
    use super::*;
    use loom::{future::block_on, thread};

    /// Two settlers race while a waiter registers: one wins, and the waiter always sees its outcome.
    #[test]
    fn loom_one_of_two_settlers_wins_and_the_waiter_wakes() {
        loom::model(|| {
            let (promise, future) = promise();
            let other = promise.clone();
            let settler = thread::spawn(move || other.complete(1).is_ok());
            let here = thread::spawn(move || promise.complete(2).is_ok());
            let got = block_on(future).unwrap();
            let (first, second) = (settler.join().unwrap(), here.join().unwrap());
            assert!(first != second, "exactly one settles");
            assert_eq!(got, if first { 1 } else { 2 });
        });
    }

    /// A waiter that gives up races with the settling and with another waiter: that one is served.
    #[test]
    fn loom_a_waiter_leaves_while_it_is_settled() {
        loom::model(|| {
            let (promise, future) = promise();
            let mut leaving = future.clone();
            let settler = thread::spawn(move || drop(promise.complete(Arc::new(5))));
            let leaver = thread::spawn(move || {
                let _ = leaving.poll_settled(&mut Context::from_waker(Waker::noop()));
                drop(leaving);
            });
            assert_eq!(*block_on(future).unwrap(), 5);
            settler.join().unwrap();
            leaver.join().unwrap();
        });
    }

    /// A waiter moves to another task while the promise is settled: the task that it moved to wakes.
    #[test]
    fn loom_a_waiter_moves_while_it_is_settled() {
        loom::model(|| {
            let (promise, mut future) = promise();
            let settler = thread::spawn(move || promise.complete(5).unwrap());
            let _ = future.poll_settled(&mut Context::from_waker(Waker::noop()));
            assert_eq!(block_on(future).unwrap(), 5);
            settler.join().unwrap();
        });
    }

    /// Two futures are dropped at once: the last of them, whichever that is, cancels the promise.
    #[test]
    fn loom_the_last_of_two_futures_to_go_cancels() {
        loom::model(|| {
            let (promise, future) = promise::<u32>();
            let droppers = [future.clone(), future].map(|future| thread::spawn(move || drop(future)));
            assert_eq!(block_on(promise.settled()), State::Cancelled);
            droppers.into_iter().for_each(|dropper| dropper.join().unwrap());
        });
    }

    /// The outcome is looked at while it is written: it's whole or not there.
    #[test]
    fn loom_the_outcome_is_read_while_it_is_settled() {
        loom::model(|| {
            let (promise, future) = promise();
            let reader = thread::spawn(move || {
                if let Some(Ok(seen)) = future.get() {
                    assert_eq!(*seen, 5);
                }
            });
            // Refused where the reader was the last who waited.
            let _ = promise.complete(5);
            reader.join().unwrap();
        });
    }

    /// The last promise and the last future are dropped at once: it ends as cancelled, by one of the two.
    #[test]
    fn loom_both_ends_drop_at_once() {
        loom::model(|| {
            let (promise, future) = promise::<Arc<u32>>();
            let cell = future.cell.clone();
            let ender = thread::spawn(move || drop(promise));
            drop(future);
            ender.join().unwrap();
            let Some(Err(Failure::Cancelled(Some(why)))) = cell.get() else { panic!("it was not cancelled") };
            assert!(why.contains("dropped") || why.contains("nobody waits"), "{why}");
        });
    }
}
