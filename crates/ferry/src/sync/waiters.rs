//! [`Waiters`]: who waits for a primitive, in the order of arrival.
//!
//! ```text
//!            push                 call_next / call_all
//!   (no key) ─────▶ waiting ───────────────────────────▶ called
//!                    ▲   │ remove (it gave up)             │ remove (it took what it was called for, or gave up)
//!                    │   ▼                                 ▼
//!                    │  gone                              gone
//!                    └──────────── again (somebody was faster) ───┘
//! ```
//!
//! Who owns what: a waiter is a place in a slab, and its future has the key. A called waiter leaves the line, and keeps
//! its place until its future has seen that it was called; what "called" stands for (a permit, a right to look
//! again) is the primitive's affair. One that finds that somebody was faster goes back to where it stood, by its ticket.
//! All of it stands under the primitive's latch, so wakers are neither cloned nor dropped nor called in here: they
//! come in ready-made and go out to be used once the latch is free.

use super::latch::{Latch, LatchGuard};
use std::task::{Context, Poll, Waker};

/// A waiter's place. Its future gives it back with [`Waiters::remove`], once.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Key(u32);

#[derive(Default)]
pub(crate) struct Waiters {
    slots: Vec<Slot>,
    /// The first free slot, and both ends of the line.
    free: Option<u32>,
    first: Option<u32>,
    last: Option<u32>,
    waiting: usize,
    called: usize,
    next_ticket: u64,
}

enum Slot {
    Free { next: Option<u32> },
    Waiting(InLine),
    Called { ticket: u64 },
}

struct InLine {
    waker: Waker,
    ticket: u64,
    previous: Option<u32>,
    next: Option<u32>,
}

/// How far a waiter had come when it was removed.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Was {
    /// It was not called. Its waker was in [`Removed`].
    Waiting,
    /// It was called, and what it was called for is now the remover's.
    Called,
}

/// What [`Waiters::remove`] gives. It holds the waker, to be dropped once the latch is free.
#[must_use = "a waiter that was called must pass on what it was called for"]
pub(crate) struct Removed {
    pub(crate) was: Was,
    _waker: Option<Waker>,
}

/// An emptied slab gives its memory back when it has grown beyond this many places.
const KEPT: usize = 64;

impl Waiters {
    /// Nobody stands in line. There may be some who were called and have not looked yet.
    #[inline]
    pub(crate) fn is_empty(&self) -> bool {
        self.waiting == 0
    }

    /// How many stand in line.
    #[inline]
    pub(crate) fn waiting(&self) -> usize {
        self.waiting
    }

    /// How many were called and have not looked yet.
    #[inline]
    pub(crate) fn called(&self) -> usize {
        self.called
    }

    /// A new waiter, at the end of the line.
    ///
    /// # Panics
    /// When 2³² wait already.
    pub(crate) fn push(&mut self, waker: Waker) -> Key {
        let ticket = self.next_ticket;
        self.next_ticket += 1;
        let place = match self.free {
            Some(place) => place,
            None => {
                let place = u32::try_from(self.slots.len()).expect("at most 2^32 wait for one primitive");
                self.slots.push(Slot::Free { next: None });
                place
            }
        };
        if let Slot::Free { next } = self.slots[place as usize] {
            self.free = next;
        }
        self.link(place, waker, ticket, None);
        Key(place)
    }

    /// The oldest waiter is called: its waker, to be woken once the latch is free.
    #[inline]
    pub(crate) fn call_next(&mut self) -> Option<Waker> {
        self.first.map(|place| self.call(place))
    }

    #[cold]
    fn call(&mut self, place: u32) -> Waker {
        let InLine { waker, ticket, .. } = self.unlink(place);
        self.slots[place as usize] = Slot::Called { ticket };
        self.called += 1;
        waker
    }

    /// All waiters are called, the oldest first.
    pub(crate) fn call_all(&mut self) -> Vec<Waker> {
        let mut wakers = Vec::with_capacity(self.waiting);
        wakers.extend(std::iter::from_fn(|| self.call_next()));
        wakers
    }

    /// Whether the waiter was called.
    #[inline]
    pub(crate) fn is_called(&self, key: Key) -> bool {
        matches!(self.slots[key.0 as usize], Slot::Called { .. })
    }

    /// A called waiter stands in line again, at its old place.
    pub(crate) fn again(&mut self, key: Key, waker: Waker) {
        let Slot::Called { ticket } = self.slots[key.0 as usize] else {
            unreachable!("only who was called can stand in line again")
        };
        self.called -= 1;
        // Nearly always the first: only those who had to come back as well can be older.
        let mut younger = self.first;
        while let Some(place) = younger
            && let Slot::Waiting(other) = &self.slots[place as usize]
            && other.ticket < ticket
        {
            younger = other.next;
        }
        self.link(key.0, waker, ticket, younger);
    }

    /// Gives one who stands in line another waker; gives the stale one, to be dropped once the latch is free.
    pub(crate) fn replace(&mut self, key: Key, waker: Waker) -> Waker {
        std::mem::replace(&mut self.in_line(key.0).waker, waker)
    }

    /// The waiter goes, called or not.
    pub(crate) fn remove(&mut self, key: Key) -> Removed {
        let called = self.is_called(key);
        let waker = (!called).then(|| self.unlink(key.0).waker);
        self.called -= usize::from(called);
        self.slots[key.0 as usize] = Slot::Free { next: self.free };
        self.free = Some(key.0);
        if self.waiting + self.called == 0 && self.slots.len() > KEPT {
            self.slots = Vec::new();
            self.free = None;
        }
        Removed { was: if called { Was::Called } else { Was::Waiting }, _waker: waker }
    }

    /// Puts a waiter before `younger`, or at the end.
    fn link(&mut self, place: u32, waker: Waker, ticket: u64, younger: Option<u32>) {
        let older = match younger {
            Some(younger) => self.in_line(younger).previous.replace(place),
            None => self.last.replace(place),
        };
        match older {
            Some(older) => self.in_line(older).next = Some(place),
            None => self.first = Some(place),
        }
        self.slots[place as usize] = Slot::Waiting(InLine { waker, ticket, previous: older, next: younger });
        self.waiting += 1;
    }

    /// Takes a waiter out of the line. Its slot is to be filled by the caller.
    fn unlink(&mut self, place: u32) -> InLine {
        let slot = std::mem::replace(&mut self.slots[place as usize], Slot::Free { next: None });
        let Slot::Waiting(waiter) = slot else { unreachable!("it stands in line") };
        match waiter.previous {
            Some(previous) => self.in_line(previous).next = waiter.next,
            None => self.first = waiter.next,
        }
        match waiter.next {
            Some(next) => self.in_line(next).previous = waiter.previous,
            None => self.last = waiter.previous,
        }
        self.waiting -= 1;
        waiter
    }

    fn in_line(&mut self, place: u32) -> &mut InLine {
        match &mut self.slots[place as usize] {
            Slot::Waiting(waiter) => waiter,
            _ => unreachable!("the line links those who wait"),
        }
    }
}

/// Polls a waiter that has its place in `line`: ready with the latch held once it was called. Until then its waker is
/// kept up to date.
pub(crate) fn poll_called<'a, S>(
    state: &'a Latch<S>,
    line: impl Fn(&mut S) -> &mut Waiters,
    key: Key,
    cx: &mut Context<'_>,
) -> Poll<LatchGuard<'a, S>> {
    let mut guard = state.lock();
    let waiters = line(&mut guard);
    if waiters.is_called(key) {
        return Poll::Ready(guard);
    }
    if waiters.in_line(key.0).waker.will_wake(cx.waker()) {
        return Poll::Pending;
    }
    drop(guard);
    let mut waker = cx.waker().clone();
    let mut guard = state.lock();
    if line(&mut guard).is_called(key) {
        return Poll::Ready(guard);
    }
    std::mem::swap(&mut waker, &mut line(&mut guard).in_line(key.0).waker);
    // The latch goes before the stale waker does.
    drop(guard);
    Poll::Pending
}

/// Wakes all, in order.
pub(crate) fn wake_all(wakers: impl IntoIterator<Item = Waker>) {
    wakers.into_iter().for_each(Waker::wake);
}

#[cfg(all(test, not(ferry_loom)))]
mod tests;
