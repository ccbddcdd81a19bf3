//! A page whose tasks, timers, queue and requests are Ferry's. `cargo xtask web` builds and serves it.

#![forbid(unsafe_code)]

#[cfg(all(target_family = "wasm", target_os = "unknown"))]
#[allow(unreachable_pub, reason = "wasm-bindgen exports what is public")]
mod app;
