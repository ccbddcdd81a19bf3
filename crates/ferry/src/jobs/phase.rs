//! [`Phase`]: how far a job is, in one word, so that each step has one winner.
//!
//! ```text
//!   Held ──start──▶ Queued(1) ──claim──▶ Running(n) ──┬─ its value, or its last error ──▶ Ended
//!    │                  ▲                    │        └─ cancelled: code that blocks at once,
//!    │                  │ n + 1              │           async code when it has cleaned up
//!    │                  └──── Delayed(n) ◀───┘ an error, and attempts are left
//!    └────────────── cancelled, from Queued and Delayed as well ──────────────────────────▶ Ended
//! ```
//!
//! The number of the attempt is the fence: whoever works on attempt n can only end `Running(n)`. What comes late, from an
//! attempt that was given up, finds another phase and changes nothing.

use crate::model::{AtomicU64, Ordering};

/// What a job does now.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub(super) enum Stage {
    /// Not submitted yet: it's latent.
    Held = 0,
    /// In the queue.
    Queued = 1,
    /// A worker has it.
    Running = 2,
    /// It waits until its next attempt is due.
    Delayed = 3,
    /// It has its outcome.
    Ended = 4,
}

/// A stage, and the number of the attempt that it's about; from 1 on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct At {
    pub(super) stage: Stage,
    pub(super) attempt: u32,
}

impl At {
    pub(super) const HELD: Self = Self { stage: Stage::Held, attempt: 1 };
    pub(super) const FIRST: Self = Self { stage: Stage::Queued, attempt: 1 };

    pub(super) fn running(attempt: u32) -> Self {
        Self { stage: Stage::Running, attempt }
    }

    pub(super) fn delayed(attempt: u32) -> Self {
        Self { stage: Stage::Delayed, attempt }
    }

    pub(super) fn to(self, stage: Stage) -> Self {
        Self { stage, ..self }
    }

    fn bits(self) -> u64 {
        u64::from(self.attempt) << 8 | self.stage as u64
    }

    fn of(bits: u64) -> Self {
        let stage = match bits & 0xff {
            0 => Stage::Held,
            1 => Stage::Queued,
            2 => Stage::Running,
            3 => Stage::Delayed,
            _ => Stage::Ended,
        };
        Self { stage, attempt: (bits >> 8) as u32 }
    }
}

pub(super) struct Phase(AtomicU64);

impl Phase {
    pub(super) fn new(at: At) -> Self {
        Self(AtomicU64::new(at.bits()))
    }

    #[inline]
    pub(super) fn at(&self) -> At {
        At::of(self.0.load(Ordering::Acquire))
    }

    /// Goes from one to the other; `false` when the job is somewhere else.
    #[inline]
    pub(super) fn change(&self, from: At, to: At) -> bool {
        self.0.compare_exchange(from.bits(), to.bits(), Ordering::AcqRel, Ordering::Acquire).is_ok()
    }
}
