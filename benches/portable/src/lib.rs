//! One set of measurements, written once, for each runtime that is there: what `contend!` makes of a few names.
//!
//! A figure is nanoseconds an operation, on the clock on the wall, as nothing else is to be had everywhere.

#[macro_use]
mod contend;

#[cfg(target_os = "wasi")]
pub mod on_wasi;
#[cfg(all(target_family = "wasm", target_os = "unknown"))]
mod on_web;
