//! What carries requests and WebSockets: the only place of `net` with `cfg(target)`.
//!
//! Each platform has `send`, which gives an answer's head and an `Incoming`, its body; and `connect`, which gives a
//! WebSocket's `Link`.

#[cfg(not(target_family = "wasm"))]
mod native;

#[cfg(not(target_family = "wasm"))]
pub(super) use native::*;
