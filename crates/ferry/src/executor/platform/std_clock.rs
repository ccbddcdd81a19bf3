//! The clock where std has one.

pub(crate) use std::time::Instant as StdInstant;

use crate::{executor::clock::base, time::Instant};
use std::time::Duration;

/// The real clock's moment as std's, for those who need to hand it on. Not in the browser, where std has no clock.
impl From<Instant> for std::time::Instant {
    fn from(instant: Instant) -> Self {
        base() + Duration::from_nanos(instant.nanoseconds())
    }
}
