//! The clocks: nanoseconds since the process's first look at the real one, and a virtual one for each loop
//! that wants it.

use super::platform::StdInstant;
use std::{sync::OnceLock, time::Duration};

/// What a virtual clock shows when its loop starts: an hour, so that there is a past to subtract from.
pub(crate) const VIRTUAL_START: u64 = 3_600_000_000_000;

/// The real, monotonic clock.
pub(crate) fn real() -> u64 {
    nanoseconds(base().elapsed())
}

/// The moment that real nanoseconds are counted from.
pub(crate) fn base() -> StdInstant {
    static BASE: OnceLock<StdInstant> = OnceLock::new();
    *BASE.get_or_init(StdInstant::now)
}

/// A duration in nanoseconds; one of more than 584 years saturates.
pub(crate) fn nanoseconds(duration: Duration) -> u64 {
    duration.as_secs().saturating_mul(1_000_000_000).saturating_add(u64::from(duration.subsec_nanos()))
}
