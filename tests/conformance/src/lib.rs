//! [`portable`]: tests that are the same on every platform, on the real clock and on the virtual one.
//!
//! They are run natively by `cargo test -p asyncferry-conformance`; `cargo xtask test` runs it on each platform.

pub mod platform;
mod portable;
