//! WASI 0.1 has nothing that a loop could await beside its timers.

use std::time::Duration;

pub(super) fn look() {}

pub(super) const SLICE: Duration = Duration::ZERO;

pub(super) fn wait(_left: Option<Duration>, _slice: Duration) -> bool {
    false
}
