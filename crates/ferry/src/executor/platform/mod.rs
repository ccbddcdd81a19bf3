//! Where a loop gets its pump, its wake-ups, its clock and its threads: the only place with `cfg(target)`.
//!
//! | | natively | WASI | browser (and Node) |
//! |---|---|---|---|
//! | pump | in tokio's current-thread runtime | the same | microtasks |
//! | alarm | timerfd; else tokio's timer | tokio's timer, and a nap for the last bit | `setTimeout`, and turns for the last bit |
//! | threads | tokio's multi-thread runtime | none | none |
//!
//! Each of `native.rs`, `wasi.rs` and `browser.rs` has the same names; `pumped.rs` is what the first two share, and
//! `threadless.rs` what the other two do.

#[cfg(target_os = "linux")]
#[path = "coarse_linux.rs"]
mod coarse;
#[cfg(not(target_os = "linux"))]
#[path = "coarse_real.rs"]
mod coarse;
#[cfg(not(target_family = "wasm"))]
mod native;
#[cfg(not(all(target_family = "wasm", target_os = "unknown")))]
mod pumped;
#[cfg(all(target_os = "wasi", target_env = "p2"))]
mod reactor;
#[cfg(all(target_os = "wasi", not(target_env = "p2")))]
#[path = "reactor_none.rs"]
mod reactor;
#[cfg(not(all(target_family = "wasm", target_os = "unknown")))]
mod std_clock;
#[cfg(target_family = "wasm")]
mod threadless;
#[cfg(target_os = "linux")]
#[path = "timer_linux.rs"]
mod timer;
#[cfg(not(any(target_os = "linux", target_family = "wasm")))]
#[path = "timer_tokio.rs"]
mod timer;
#[cfg(target_os = "wasi")]
#[path = "timer_wasi.rs"]
mod timer;
#[cfg(target_os = "wasi")]
mod wasi;

pub(crate) use self::coarse::coarse;

#[cfg(not(target_family = "wasm"))]
pub(crate) use self::{native::*, pumped::*, std_clock::*};
#[cfg(target_os = "wasi")]
pub(crate) use self::{pumped::*, std_clock::*, threadless::*, wasi::*};

#[cfg(all(target_family = "wasm", target_os = "unknown"))]
mod browser;
#[cfg(all(target_family = "wasm", target_os = "unknown"))]
pub(crate) use self::{browser::*, threadless::*};

/// What this platform alone has of the public API.
#[allow(unreachable_pub, reason = "most platforms have nothing of their own")]
pub mod only_here {
    /// What WASI 0.2 alone has: its pollables as futures.
    #[cfg(all(target_os = "wasi", target_env = "p2"))]
    pub mod wasi {
        pub use super::super::reactor::{Ready, ready};
    }

    #[cfg(all(target_family = "wasm", target_os = "unknown"))]
    pub use super::browser::js;
}
