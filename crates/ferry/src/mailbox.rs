//! [`Mailbox`]: completions handed to a host's home thread, with one wake for each burst.
//!
//! A *host* is whatever owns a thread and must do its own work there: Ferry's loop, a Python event loop, a
//! Wren VM. Any thread posts; only the home thread takes. The host is woken by ringing its *bell* (writing
//! an eventfd, waking a task), and ringing is what costs, so it happens once for a burst:
//!
//! ```text
//!              post: push, ring                  arm, empty: stays Armed
//!   Armed ────────────────────────▶ Awake ──────────────────────────────▶ Armed
//!   (home sleeps or is about to)      │  ▲   post: push, no ring
//!                                     └──┘   take: the home empties the box
//!                                     arm, not empty: stays Awake, the home takes again
//! ```
//!
//! The home's part is always the same loop: take until [`arm`](Mailbox::arm) says that the box is empty,
//! then sleep. Both flags live under the queue's lock, so a post either is seen by `arm` or rings.
//!
//! The box has no limit of its own: it holds at most one item for each piece of work that is out, and the
//! number of those is bounded where they start.

use crate::model::{AtomicBool, Mutex, Ordering, lock};

/// A queue from any thread to one home thread. The host takes until [`arm`](Self::arm) says that the box is
/// empty, and then sleeps; a post to a sleeping host rings the bell, once for a burst.
///
/// ```
/// use asyncferry::Mailbox;
///
/// let mailbox = Mailbox::new(|| println!("wake up"));
/// mailbox.post("first").unwrap(); // rings
/// mailbox.post("second").unwrap(); // the home is awake: does not ring
/// let mut batch = Vec::new();
/// mailbox.take(&mut batch);
/// assert_eq!(batch, ["first", "second"]);
/// assert!(mailbox.arm());
/// ```
pub struct Mailbox<T> {
    inbox: Mutex<Inbox<T>>,
    /// A hint for the home's hot path; the truth is in the inbox.
    posted: AtomicBool,
    bell: Box<dyn Fn() + Send + Sync>,
}

struct Inbox<T> {
    items: Vec<T>,
    armed: bool,
    closed: bool,
}

impl<T> Mailbox<T> {
    /// An empty, armed mailbox whose `bell` wakes the home thread. The bell may ring on any thread, one that
    /// is inside a waker among them, so it must neither block nor call back into the mailbox.
    pub fn new(bell: impl Fn() + Send + Sync + 'static) -> Self {
        Self {
            inbox: Mutex::new(Inbox { items: Vec::new(), armed: true, closed: false }),
            posted: AtomicBool::new(false),
            bell: Box::new(bell),
        }
    }

    /// Adds `item`, from any thread, and rings the bell if the home sleeps. Items of one thread are taken
    /// in the order in which it posted them.
    ///
    /// # Errors
    /// The item comes back when the mailbox is [closed](Self::close).
    pub fn post(&self, item: T) -> Result<(), T> {
        let ring = {
            let mut inbox = lock(&self.inbox);
            if inbox.closed {
                return Err(item);
            }
            inbox.items.push(item);
            self.posted.store(true, Ordering::Release);
            std::mem::take(&mut inbox.armed)
        };
        if ring {
            (self.bell)();
        }
        Ok(())
    }

    /// Whether something was posted since the last [`take`](Self::take): a cheap look for the home's loop.
    /// A post that happens meanwhile may be missed; [`arm`](Self::arm) never misses one.
    pub fn has_mail(&self) -> bool {
        self.posted.load(Ordering::Acquire)
    }

    /// Moves all items to the end of `batch`. Only the home thread calls this.
    pub fn take(&self, batch: &mut Vec<T>) {
        let mut inbox = lock(&self.inbox);
        self.posted.store(false, Ordering::Relaxed);
        if batch.is_empty() {
            // The two buffers change places, so neither is allocated again in a steady state.
            std::mem::swap(&mut inbox.items, batch);
        } else {
            batch.append(&mut inbox.items);
        }
    }

    /// Makes the next post ring, if the mailbox is empty. `false` means that there is mail: take again.
    #[must_use = "false means that there is mail to take"]
    pub fn arm(&self) -> bool {
        let mut inbox = lock(&self.inbox);
        inbox.armed = inbox.items.is_empty();
        inbox.armed
    }

    /// Refuses all further posts and gives back what was posted and not taken.
    pub fn close(&self) -> Vec<T> {
        let mut inbox = lock(&self.inbox);
        inbox.closed = true;
        self.posted.store(false, Ordering::Relaxed);
        std::mem::take(&mut inbox.items)
    }
}

#[cfg(all(test, not(ferry_loom)))]
#[allow(clippy::unwrap_used, reason = "a test fails by panicking")]
mod tests {
    use super::*;
    use std::sync::{Arc, atomic::AtomicUsize};

    fn counted() -> (Mailbox<u32>, Arc<AtomicUsize>) {
        let rings = Arc::new(AtomicUsize::new(0));
        let bell = rings.clone();
        (Mailbox::new(move || _ = bell.fetch_add(1, std::sync::atomic::Ordering::SeqCst)), rings)
    }

    fn rung(rings: &AtomicUsize) -> usize {
        rings.load(std::sync::atomic::Ordering::SeqCst)
    }

    #[test]
    fn a_burst_rings_once() {
        let (mailbox, rings) = counted();
        for item in 0..100 {
            mailbox.post(item).unwrap();
        }
        assert_eq!(rung(&rings), 1);
        let mut batch = Vec::new();
        mailbox.take(&mut batch);
        assert_eq!(batch, (0..100).collect::<Vec<_>>());
    }

    #[test]
    fn arming_rings_again_and_refuses_while_there_is_mail() {
        let (mailbox, rings) = counted();
        mailbox.post(1).unwrap();
        assert!(!mailbox.arm());
        mailbox.take(&mut Vec::new());
        assert!(mailbox.arm());
        mailbox.post(2).unwrap();
        assert_eq!(rung(&rings), 2);
    }

    #[test]
    fn a_closed_mailbox_gives_everything_back() {
        let (mailbox, _) = counted();
        mailbox.post(1).unwrap();
        assert_eq!(mailbox.close(), [1]);
        assert_eq!(mailbox.post(2), Err(2));
    }

    #[test]
    fn a_batch_that_is_not_empty_keeps_what_it_has() {
        let (mailbox, _) = counted();
        mailbox.post(2).unwrap();
        let mut batch = vec![1];
        mailbox.take(&mut batch);
        assert_eq!(batch, [1, 2]);
        assert!(!mailbox.has_mail());
    }

    #[test]
    fn a_closed_mailbox_rings_for_nobody() {
        let (mailbox, rings) = counted();
        mailbox.close();
        mailbox.post(1).unwrap_err();
        assert_eq!((rung(&rings), mailbox.has_mail()), (0, false));
    }

    #[test]
    fn a_close_leaves_no_mail_behind() {
        let (mailbox, _) = counted();
        mailbox.post(1).unwrap();
        mailbox.close();
        assert!(!mailbox.has_mail());
        let mut batch = Vec::new();
        mailbox.take(&mut batch);
        assert!(batch.is_empty());
    }

    /// The bell is the home's only reason to look again: were a ring missing, it would wait for ever.
    #[test]
    fn a_home_that_sleeps_until_the_bell_rings_gets_all_mail_in_each_posters_order() {
        let count = if cfg!(miri) { 40 } else { 20_000 };
        let home = std::thread::current();
        let mailbox = Arc::new(Mailbox::new(move || home.unpark()));
        let posters: Vec<_> = (0..2)
            .map(|poster| {
                let mailbox = mailbox.clone();
                std::thread::spawn(move || (0..count).for_each(|item| mailbox.post((poster, item)).unwrap()))
            })
            .collect();
        let (mut next, mut batch) = ([0, 0], Vec::new());
        while next != [count, count] {
            mailbox.take(&mut batch);
            for (poster, item) in batch.drain(..) {
                let expected: &mut u32 = &mut next[poster as usize];
                assert_eq!(item, *expected);
                *expected += 1;
            }
            if next != [count, count] && mailbox.arm() {
                std::thread::park();
            }
        }
        posters.into_iter().for_each(|poster| poster.join().unwrap());
    }
}

#[cfg(all(test, ferry_loom))]
mod loom_tests {
    use super::*;
    use loom::sync::Arc;

    /// Two threads post while the home takes and goes to sleep: whatever is left in the box then has woken
    /// the home after it last consumed its wake, so no item can lie with a sleeping host.
    #[test]
    fn loom_no_item_is_left_with_a_sleeping_home() {
        loom::model(|| {
            let awake = Arc::new(AtomicBool::new(true));
            let bell = awake.clone();
            let mailbox = Arc::new(Mailbox::new(move || bell.store(true, Ordering::SeqCst)));
            let posters: Vec<_> = (0..2)
                .map(|item| {
                    let mailbox = mailbox.clone();
                    loom::thread::spawn(move || mailbox.post(item).unwrap())
                })
                .collect();
            awake.store(false, Ordering::SeqCst);
            let mut taken = Vec::new();
            mailbox.take(&mut taken);
            let asleep = mailbox.arm();
            for poster in posters {
                poster.join().unwrap();
            }
            let before = taken.len();
            mailbox.take(&mut taken);
            assert_eq!(taken.len(), 2, "an item was lost");
            if asleep && taken.len() > before {
                assert!(awake.load(Ordering::SeqCst), "mail came to a sleeping home and no bell rang");
            }
        });
    }

    /// A box is closed while another thread posts: the item comes back to the one or to the other.
    #[test]
    fn loom_a_close_loses_nothing() {
        loom::model(|| {
            let mailbox = Arc::new(Mailbox::new(|| {}));
            let posting = mailbox.clone();
            let poster = loom::thread::spawn(move || posting.post(1).is_ok());
            let closed = mailbox.close();
            let posted = poster.join().unwrap();
            let mut late = Vec::new();
            mailbox.take(&mut late);
            assert_eq!((closed.len(), late.len()), (usize::from(posted), 0));
        });
    }
}
