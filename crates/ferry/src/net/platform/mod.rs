//! What carries requests and WebSockets: the only place of `net` with `cfg(target)`.
//!
//! Each of `native.rs`, `browser.rs` and `wasi.rs` has `send`, which gives an answer's head and an `Incoming`, its body;
//! and `connect`, which gives a WebSocket's `Link`. `nowhere.rs` and `no_websocket.rs` stand for what is not to be had.

#[cfg(all(target_family = "wasm", target_os = "unknown"))]
mod browser;
#[cfg(not(target_family = "wasm"))]
mod native;
#[cfg(target_os = "wasi")]
mod no_websocket;
#[cfg(all(target_os = "wasi", not(target_env = "p2")))]
mod nowhere;
#[cfg(all(target_os = "wasi", target_env = "p2"))]
mod wasi;

#[cfg(all(target_family = "wasm", target_os = "unknown"))]
pub(super) use browser::*;
#[cfg(not(target_family = "wasm"))]
pub(super) use native::*;
#[cfg(target_os = "wasi")]
pub(super) use no_websocket::*;
#[cfg(all(target_os = "wasi", not(target_env = "p2")))]
pub(super) use nowhere::*;
#[cfg(all(target_os = "wasi", target_env = "p2"))]
pub(super) use wasi::*;
