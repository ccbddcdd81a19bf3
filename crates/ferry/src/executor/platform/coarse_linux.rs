//! The real clock to a few milliseconds, for a fraction of the price: Linux keeps one.

use crate::executor::real;
use rustix::time::{ClockId, clock_gettime};
use std::sync::OnceLock;

/// The real clock, as it was at the system's last tick.
#[inline]
pub(crate) fn coarse() -> u64 {
    static BEHIND: OnceLock<u64> = OnceLock::new();
    let read = |clock| {
        let time = clock_gettime(clock);
        u64::try_from(time.tv_sec).unwrap_or(0) * 1_000_000_000 + u64::try_from(time.tv_nsec).unwrap_or(0)
    };
    // Ferry's clock begins at its first use, and the system's long before.
    let behind = BEHIND.get_or_init(|| read(ClockId::Monotonic).saturating_sub(real()));
    read(ClockId::MonotonicCoarse).saturating_sub(*behind)
}
