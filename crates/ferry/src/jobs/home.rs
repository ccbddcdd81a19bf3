//! [`Home`]: where a pool's jobs run, and by which clock.

use crate::executor::{LoopRef, platform, real, try_with_loop, with_loop};
use std::sync::{
    OnceLock,
    atomic::{AtomicU64, Ordering},
};

pub(super) enum Home {
    /// On threads of the pool's own and on those of the runtime, by the real clock.
    Threads,
    /// On one loop, as tasks: under a virtual clock, and where there are no threads.
    Loop {
        /// Known once the pool was used on it.
        home: OnceLock<LoopRef>,
        /// What its clock showed last, for those who are elsewhere.
        seen: AtomicU64,
    },
}

impl Home {
    /// That of a pool which is made here and now.
    pub(super) fn here() -> Self {
        if platform::HAS_THREADS && !with_loop(|home| home.is_virtual()) {
            Self::Threads
        } else {
            Self::Loop { home: OnceLock::new(), seen: AtomicU64::new(0) }
        }
    }

    /// For tests that drive a pool by hand: on a loop that never runs.
    #[cfg(all(test, ferry_loom))]
    pub(super) fn nowhere() -> Self {
        Self::Loop { home: OnceLock::new(), seen: AtomicU64::new(0) }
    }

    #[inline]
    pub(super) fn has_threads(&self) -> bool {
        matches!(self, Self::Threads)
    }

    /// Settles on the loop that runs here, if there is one.
    pub(super) fn settle(&self) -> bool {
        let Self::Loop { home, .. } = self else { return true };
        let Some(here) = platform::here() else { return false };
        home.get_or_init(|| here).id == here.id
    }

    /// Whether blocking this thread would stop the pool.
    pub(super) fn is_this_thread(&self) -> bool {
        let Self::Loop { home, .. } = self else { return false };
        !platform::HAS_THREADS
            || home.get().zip(platform::here()).is_some_and(|(home, here)| home.id == here.id)
    }

    /// Now, by the pool's clock.
    #[inline]
    pub(super) fn now(&self) -> u64 {
        match self {
            Self::Threads => real(),
            Self::Loop { home, seen } => {
                let here = platform::here();
                if home.get().zip(here).is_some_and(|(home, here)| home.id == here.id)
                    && let Some(now) = try_with_loop(|here| here.now())
                {
                    seen.store(now, Ordering::Relaxed);
                    return now;
                }
                seen.load(Ordering::Relaxed)
            }
        }
    }
}
