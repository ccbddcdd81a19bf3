//! The timers of one loop: a monotone radix heap, ordered by (deadline, arrival), with lazy cancellation.
//!
//! An entry lies in the bucket of the highest bit in which its deadline differs from `floor`, the deadline
//! that was taken last; bucket 0 holds those that equal it. Adding is a push at the end of one bucket. Time
//! only moves forward, so when the lowest bucket is due its earliest deadline becomes the floor, and its
//! entries spread over the (empty) buckets below it, in order: each entry moves down a few times, always
//! through memory that is read in sequence, where a binary heap would jump through all of it.
//!
//! ```text
//!   slot:  Free ──insert──▶ Armed(waker) ──due──▶ Fired ──poll, cancel──▶ Free (its generation moves on)
//!                               └──────────────cancel──────────────────────▲
//! ```
//!
//! A timer that is cancelled gives its slot back at once and leaves its entry behind, which is dropped when
//! it is met, when seven eighths of all entries are such (so there are at most eight for a live timer), or
//! when no timer is left. Entries with equal deadlines always lie in the
//! same bucket, in the order of their arrival, so no sequence number is kept. Deadlines before the floor
//! (overdue when they were armed) are rare; they stand in a heap of their own.

use std::{
    cmp::Reverse,
    collections::BinaryHeap,
    task::{Poll, Waker},
};

/// Deadlines at or beyond this never come (292 years): huge durations saturate here.
pub(crate) const NEVER: u64 = i64::MAX as u64;

/// Names one armed timer. A key of an earlier generation names nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Key {
    slot: u32,
    generation: u32,
}

pub(crate) struct Timers {
    /// Each slot's mark, and its waker while it is armed: apart, as marks are looked at far more often.
    marks: Vec<Mark>,
    wakers: Vec<Option<Waker>>,
    free: u32,
    buckets: [Bucket; 64],
    /// Which buckets hold entries, a bit each.
    filled: u64,
    floor: u64,
    /// By (deadline, arrival).
    overdue: BinaryHeap<Reverse<(u64, u64, Key)>>,
    overdue_seen: u64,
    entries: usize,
    dead: usize,
    live: usize,
}

#[derive(Clone, Copy)]
struct Mark {
    generation: u32,
    /// In a free slot: the next free one. Otherwise unused.
    next: u32,
}

#[derive(Clone, Copy)]
struct Entry {
    deadline: u64,
    key: Key,
}

struct Bucket {
    entries: Vec<Entry>,
    earliest: u64,
}

const NO_SLOT: u32 = u32::MAX;
/// A bucket keeps at most this much room (64 KiB) when it is emptied.
const KEPT_ROOM: usize = 4096;

impl Timers {
    pub(crate) const fn new() -> Self {
        Self {
            marks: Vec::new(),
            wakers: Vec::new(),
            free: NO_SLOT,
            buckets: [const { Bucket { entries: Vec::new(), earliest: u64::MAX } }; 64],
            filled: 0,
            floor: 0,
            overdue: BinaryHeap::new(),
            overdue_seen: 0,
            entries: 0,
            dead: 0,
            live: 0,
        }
    }

    /// Arms a timer that wakes `waker` once `deadline` (nanoseconds on the loop's clock) is due.
    pub(crate) fn insert(&mut self, deadline: u64, waker: Waker) -> Key {
        let deadline = deadline.min(NEVER);
        let key = self.occupy(waker);
        self.live += 1;
        if deadline < self.floor {
            self.overdue.push(Reverse((deadline, self.overdue_seen, key)));
            self.overdue_seen += 1;
        } else {
            self.entries += 1;
            self.push(Entry { deadline, key });
        }
        key
    }

    /// Ready once the timer has fired, which also gives its slot back. `None`: the key names no timer. Of an
    /// armed timer, the waker changes places with `waker`, for the caller to drop outside of any borrow.
    pub(crate) fn poll(&mut self, key: Key, waker: &mut Waker) -> Option<Poll<()>> {
        if !self.is_live(key) {
            return None;
        }
        match &mut self.wakers[key.slot as usize] {
            Some(armed) => {
                std::mem::swap(armed, waker);
                Some(Poll::Pending)
            }
            None => {
                self.release(key);
                Some(Poll::Ready(()))
            }
        }
    }

    /// Takes the timer back; its waker is returned for the caller to drop outside of any borrow.
    pub(crate) fn cancel(&mut self, key: Key) -> Option<Waker> {
        if !self.is_live(key) {
            return None;
        }
        let waker = self.release(key)?;
        self.live -= 1;
        self.dead += 1;
        if self.dead > 64 && self.dead > (self.entries + self.overdue.len()) / 8 * 7 {
            self.sweep();
        }
        Some(waker)
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.live == 0
    }

    /// How many are armed.
    pub(crate) fn live(&self) -> usize {
        self.live
    }

    /// Whether an entry, perhaps a cancelled one, is due at `now`.
    pub(crate) fn is_due(&self, now: u64) -> bool {
        let lowest = self.buckets.get(self.filled.trailing_zeros() as usize);
        self.live > 0 && (!self.overdue.is_empty() || lowest.is_some_and(|bucket| bucket.earliest <= now))
    }

    /// Moves the wakers of all timers that are due at `now` into `woken`, by (deadline, arrival), and gives the deadline
    /// of the first.
    pub(crate) fn fire(&mut self, now: u64, woken: &mut Vec<Waker>) -> Option<u64> {
        let mut first = None;
        while let Some(Reverse((deadline, _, key))) = self.overdue.pop() {
            self.fire_one(key, woken);
            first = first.or_else(|| (!woken.is_empty()).then_some(deadline));
        }
        while self.filled != 0 {
            let lowest = self.filled.trailing_zeros() as usize;
            let earliest = self.buckets[lowest].earliest;
            if earliest > now {
                break;
            }
            let entries = self.empty_bucket(lowest);
            self.floor = earliest;
            for entry in &entries {
                if entry.deadline == earliest {
                    self.entries -= 1;
                    self.fire_one(entry.key, woken);
                } else if self.is_live(entry.key) {
                    self.push(*entry);
                } else {
                    self.entries -= 1;
                    self.dead -= 1;
                }
            }
            self.keep_room(lowest, entries);
            first = first.or_else(|| (!woken.is_empty()).then_some(earliest));
        }
        first
    }

    /// When the next timer is due, if ever. It may be one that was cancelled, unless `exact` is asked for,
    /// which looks through one bucket.
    pub(crate) fn next(&mut self, exact: bool) -> Option<u64> {
        if self.live == 0 {
            return None;
        }
        while let Some(Reverse((deadline, _, key))) = self.overdue.peek() {
            if !exact || self.is_live(*key) {
                return Some(*deadline);
            }
            self.overdue.pop();
            self.dead -= 1;
        }
        while exact && self.filled != 0 && self.sweep_bucket(self.filled.trailing_zeros() as usize) {}
        let lowest = self.filled.trailing_zeros() as usize;
        self.buckets.get(lowest).map(|bucket| bucket.earliest).filter(|deadline| *deadline < NEVER)
    }

    /// Forgets all timers, as their loop ends: keys of that loop must not be used again. The wakers are
    /// returned to be dropped outside of any borrow.
    pub(crate) fn clear(&mut self) -> Vec<Waker> {
        std::mem::replace(self, Self::new()).wakers.into_iter().flatten().collect()
    }

    fn push(&mut self, entry: Entry) {
        let bucket = (u64::BITS - (entry.deadline ^ self.floor).leading_zeros()) as usize;
        self.filled |= 1 << bucket;
        let bucket = &mut self.buckets[bucket];
        bucket.earliest = bucket.earliest.min(entry.deadline);
        bucket.entries.push(entry);
    }

    fn fire_one(&mut self, key: Key, woken: &mut Vec<Waker>) {
        if !self.is_live(key) {
            self.dead -= 1;
        } else if let Some(waker) = self.wakers[key.slot as usize].take() {
            self.live -= 1;
            woken.push(waker);
        }
    }

    fn occupy(&mut self, waker: Waker) -> Key {
        if self.free == NO_SLOT {
            let slot = u32::try_from(self.marks.len()).unwrap_or(NO_SLOT);
            assert!(slot < NO_SLOT, "a loop holds at most 2^32 - 1 timers");
            self.marks.push(Mark { generation: 0, next: NO_SLOT });
            self.wakers.push(Some(waker));
            return Key { slot, generation: 0 };
        }
        let slot = self.free;
        let mark = self.marks[slot as usize];
        self.free = mark.next;
        self.wakers[slot as usize] = Some(waker);
        Key { slot, generation: mark.generation }
    }

    fn release(&mut self, key: Key) -> Option<Waker> {
        let mark = &mut self.marks[key.slot as usize];
        mark.generation = mark.generation.wrapping_add(1);
        mark.next = self.free;
        self.free = key.slot;
        self.wakers[key.slot as usize].take()
    }

    fn is_live(&self, key: Key) -> bool {
        self.marks.get(key.slot as usize).is_some_and(|mark| mark.generation == key.generation)
    }

    fn empty_bucket(&mut self, bucket: usize) -> Vec<Entry> {
        self.filled &= !(1 << bucket);
        self.buckets[bucket].earliest = u64::MAX;
        std::mem::take(&mut self.buckets[bucket].entries)
    }

    /// Gives an emptied bucket its room back, within reason.
    fn keep_room(&mut self, bucket: usize, mut entries: Vec<Entry>) {
        let kept = &mut self.buckets[bucket].entries;
        if kept.capacity() == 0 && entries.capacity() <= KEPT_ROOM {
            entries.clear();
            *kept = entries;
        }
    }

    /// Drops all entries of cancelled timers.
    fn sweep(&mut self) {
        for bucket in 0..self.buckets.len() {
            self.sweep_bucket(bucket);
        }
        let marks = &self.marks;
        self.overdue.retain(|Reverse((_, _, key))| marks[key.slot as usize].generation == key.generation);
        self.dead = 0;
    }

    /// Drops a bucket's entries of cancelled timers; whether it is empty now.
    fn sweep_bucket(&mut self, bucket: usize) -> bool {
        let marks = &self.marks;
        let place = &mut self.buckets[bucket];
        let before = place.entries.len();
        place.earliest = u64::MAX;
        place.entries.retain(|entry| {
            let live = marks[entry.key.slot as usize].generation == entry.key.generation;
            place.earliest = if live { place.earliest.min(entry.deadline) } else { place.earliest };
            live
        });
        let gone = before - place.entries.len();
        if place.entries.capacity() > KEPT_ROOM {
            place.entries.shrink_to(place.entries.len() * 2);
        }
        self.entries -= gone;
        self.dead -= gone;
        if place.entries.is_empty() {
            self.filled &= !(1 << bucket);
        }
        place.entries.is_empty()
    }
}

#[cfg(all(test, not(ferry_loom)))]
mod tests;
