//! The npm package `asyncferry`: asyncio's primitives for programs in JavaScript and TypeScript, each wait with an
//! optional `AbortSignal`. `cargo xtask npm` builds it; elsewhere than for a browser or Node this crate is empty.

#![forbid(unsafe_code)]

#[cfg(all(target_family = "wasm", target_os = "unknown"))]
#[allow(unreachable_pub, reason = "wasm-bindgen exports what is public")]
mod exports;
