//! Ferry's bridge to Python: Rust work as awaitables, coroutines as Rust futures, and an embedded kernel.
//!
//! - [`future_to_awaitable`], [`blocking_to_awaitable`] and [`create_job_awaitable`] give Python an
//!   [`Job`] for what Rust does; [`gather_impl`] makes one of many.
//! - [`awaitable_to_future`] and [`start_awaitable`] let Rust await what Python can await.
//! - [`kernel`] runs pieces of Python code inside a Rust program.
//! - [`append_to_inittab`] makes `import asyncferry` work in an embedded interpreter.
//!
//! # Using it
//!
//! Take `pyo3` in the version that this crate is built with (0.30), and look at [`future_to_awaitable`] for a
//! function that Python can await. A program that embeds Python finds libpython at run time only if its own
//! build script says where it was at build time:
//!
//! ```ignore (it is a build script)
//! fn main() {
//!     pyo3_build_config::add_libpython_rpath_link_args();
//! }
//! ```
//!
//! # The rules of the bridge
//!
//! - **Threads of Rust never take the GIL.** They settle a promise; the awaitable's [`Home`] is told, once a
//!   burst, and does on its own thread what needs Python. So no completion can wait for the GIL, whatever
//!   locks are held around it.
//! - **Values are converted at home**, once, by [`IntoPyObject`](pyo3::IntoPyObject).
//! - **Who drops the last interest stops the work**: an awaitable that nobody refers to stops its Rust
//!   future; a [`PyFuture`] that is dropped cancels its Python task. Cancel messages cross both ways.
//! - **Errors keep what they were**: a `PyErr` anywhere in a Rust error comes back as the same exception
//!   object, with its traceback; other errors are `asyncferry.FerryError`, their sources as `__cause__`; a
//!   panic is `asyncferry.PanicError` with its text. An error that nobody retrieves goes to the loop's
//!   exception handler.

mod activity;
mod artifact;
mod as_completed;
mod background;
mod bell;
mod blocking;
mod callback;
mod carried;
mod context;
mod coroutine;
mod coroutine_job;
mod digest;
mod drain;
mod exit;
mod expose;
mod failure;
mod fork;
mod gather;
mod glue;
mod group;
mod held;
mod home;
#[cfg(feature = "embed")]
pub mod interpreter;
mod job;
#[cfg(feature = "embed")]
pub mod kernel;
mod map;
mod module;
mod names;
mod orphans;
mod progress;
mod race;
mod registry;
#[cfg(feature = "embed")]
pub mod run;
mod settings;
mod source;
mod stage;
mod submit;
mod tasks;
mod threads;
mod timer;
mod trio;
mod wait;
mod waiter;

pub use artifact::{Artifact, ArtifactInfo};
pub use coroutine::{PyFuture, awaitable_to_future, start_awaitable};
pub use expose::{
    Interest, JobReceiver, blocking_to_awaitable, create_job_awaitable, future_to_awaitable,
    promise_to_awaitable,
};
pub use failure::{FerryError, PanicError};
pub use gather::gather_impl;
pub use home::Home;
pub use job::Job;
#[cfg(feature = "embed")]
pub use module::append_to_inittab;
pub use module::fill_module;
pub use registry::register;
