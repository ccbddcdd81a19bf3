//! Who waits for whom, and when nothing goes on by itself any more: see [`Home`].

use super::Home;
use crate::park::By;
use asyncferry::{promise, yield_now};
use std::{
    future::poll_fn,
    rc::Rc,
    task::{Poll, Waker},
};
use wren::Context;

impl Home {
    pub(crate) fn live_tasks(&self) -> usize {
        self.tasks.borrow().len()
    }

    pub(crate) fn waiting_tasks(&self) -> usize {
        self.for_others.get()
    }

    /// Waits, as what can be ended by these.
    pub(crate) fn waiting(self: &Rc<Self>, by: By) -> Waiting {
        if by == By::Others {
            self.for_others.set(self.for_others.get() + 1);
            self.look_whether_idle();
        }
        Waiting { home: self.clone(), by }
    }

    pub(super) fn look_whether_idle(&self) {
        if self.seems_idle() {
            let waiting = self.wait_for_idle.take();
            waiting.into_iter().for_each(Waker::wake);
        }
    }

    fn seems_idle(&self) -> bool {
        self.for_others.get() >= self.live_tasks()
    }

    /// Waits until nothing goes on by itself.
    pub(crate) async fn idle(self: &Rc<Self>) {
        loop {
            poll_fn(|cx| {
                if self.seems_idle() {
                    return Poll::Ready(());
                }
                let mut waiting = self.wait_for_idle.borrow_mut();
                if !waiting.iter().any(|waker| waker.will_wake(cx.waker())) {
                    waiting.push(cx.waker().clone());
                }
                Poll::Pending
            })
            .await;
            let before = self.progress.get();
            // Those that were woken, and so counted as waiting, have their turn meanwhile.
            for _ in 0..2 {
                yield_now().await;
            }
            if self.progress.get() == before && self.seems_idle() && !self.shared.has_mail() {
                return;
            }
        }
    }

    pub(crate) fn progress(&self) -> u64 {
        self.progress.get()
    }

    /// A fiber waits for what others do: it can be told where, as long as this is there.
    pub(crate) fn parked(self: &Rc<Self>, fiber: &wren::Fiber) -> Parked {
        Parked { home: self.clone(), key: self.parked.borrow_mut().insert(fiber.clone()) }
    }

    /// Where fibers wait for what others do.
    pub(crate) fn traces(self: &Rc<Self>) -> Vec<Vec<wren::TraceFrame>> {
        let fibers: Vec<_> = self.parked.borrow().iter().map(|(_, fiber)| fiber.clone()).collect();
        self.enter(|cx| fibers.iter().filter_map(|fiber| cx.trace_of(fiber).ok()).collect())
    }

    /// Somebody acts from outside.
    pub(crate) fn goes_on(&self) {
        self.progress.set(self.progress.get() + 1);
    }

    // Fibers that suspended themselves.

    /// Waits until a fiber has ended that suspended itself: others may have it go on.
    pub(crate) async fn until_ended(self: &Rc<Self>, fiber: &wren::Fiber) {
        let (promise, ended) = promise();
        self.loose.borrow_mut().push((fiber.clone(), promise));
        let _waiting = self.waiting(By::Others);
        let _ = ended.await;
    }

    pub(super) fn let_loose_go(&self, cx: &mut Context<'_>) {
        let mut loose = self.loose.borrow_mut();
        loose.retain(|(fiber, promise)| {
            let is_gone = fiber.is_done(cx).unwrap_or(true) || promise.state() != asyncferry::State::Pending;
            if is_gone {
                // Its task may be gone.
                let _ = promise.complete(());
            }
            !is_gone
        });
    }
}

/// A fiber's place among those that wait for others.
pub(crate) struct Parked {
    home: Rc<Home>,
    key: usize,
}

impl Drop for Parked {
    fn drop(&mut self) {
        let gone = self.home.parked.borrow_mut().try_remove(self.key);
        drop(gone);
    }
}

/// A task that waits, and is counted as such.
pub(crate) struct Waiting {
    home: Rc<Home>,
    by: By,
}

impl Drop for Waiting {
    fn drop(&mut self) {
        self.home.goes_on();
        if self.by == By::Others {
            self.home.for_others.set(self.home.for_others.get() - 1);
        }
    }
}
