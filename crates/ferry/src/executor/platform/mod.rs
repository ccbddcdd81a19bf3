//! Where a loop gets its pump, its wake-ups and its threads: the only place with `cfg(target)`.

mod native;
#[cfg(target_os = "linux")]
#[path = "timer_linux.rs"]
mod timer;
#[cfg(not(target_os = "linux"))]
#[path = "timer_tokio.rs"]
mod timer;

pub(crate) use native::{block_on, forked, scopes, settings, tokio_handle, try_tokio_handle};
