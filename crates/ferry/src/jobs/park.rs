//! [`park_on`]: a thread that runs no loop waits.

use std::{
    cell::RefCell,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    task::{Context, Poll, Wake, Waker},
    thread::{self, Thread},
};

/// Wakes a thread that is parked, and tells it from others who unpark it.
struct Bell {
    thread: Thread,
    rang: AtomicBool,
}

impl Wake for Bell {
    fn wake(self: Arc<Self>) {
        self.wake_by_ref();
    }

    fn wake_by_ref(self: &Arc<Self>) {
        if !self.rang.swap(true, Ordering::AcqRel) {
            self.thread.unpark();
        }
    }
}

/// So often a thread looks whether it was woken, before it sleeps: waking one that sleeps takes microseconds.
const LOOKS: u32 = 80;

/// Polls until that is ready, and blocks this thread meanwhile.
pub(super) fn park_on<T>(mut poll: impl FnMut(&mut Context<'_>) -> Poll<T>) -> T {
    thread_local! {
        /// Made once for each thread; taken while it's used.
        static KEPT: RefCell<Option<(Arc<Bell>, Waker)>> = const { RefCell::new(None) };
    }

    let new = || {
        let bell = Arc::new(Bell { thread: thread::current(), rang: AtomicBool::new(false) });
        let waker = Waker::from(bell.clone());
        (bell, waker)
    };
    let (bell, waker) = KEPT.try_with(RefCell::take).ok().flatten().unwrap_or_else(new);
    let mut cx = Context::from_waker(&waker);
    let result = loop {
        // What rings from now on is for this poll.
        bell.rang.store(false, Ordering::Release);
        if let Poll::Ready(result) = poll(&mut cx) {
            break result;
        }
        let mut turn = 0;
        while !bell.rang.load(Ordering::Acquire) {
            if turn < LOOKS {
                crate::model::relax(turn)
            } else {
                thread::park()
            }
            turn += 1;
        }
    };
    // Where the thread ends, there is no next time.
    let _ = KEPT.try_with(|kept| kept.replace(Some((bell, waker))));
    result
}
