//! The bridge under an embedded interpreter. Each test runs a Python program on an event loop of its own, in
//! the thread that the test harness gives it; `probe` is the Rust side that the programs talk to.

#![allow(clippy::unwrap_used, reason = "a panic fails the test, as it should")]

mod alone;
mod awaiting;
mod cancelling;
mod digesting;
mod errors;
mod gathering;
mod loops;
mod probe;
mod program;
mod relaying;

use alone::check_alone;
use program::check;
