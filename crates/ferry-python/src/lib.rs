//! Ferry's bridge to Python: Rust work as awaitables, coroutines as Rust futures, and an embedded kernel.
//!
//! - [`future_to_awaitable`], [`blocking_to_awaitable`] and [`create_job_awaitable`] give Python a
//!   [`Job`] for what Rust does; [`gather_impl`] makes one of many.
//! - [`awaitable_to_future`] and [`start_awaitable`] let Rust await what Python can await.
//! - [`kernel`] runs pieces of Python code inside a Rust program.
//! - [`append_to_inittab`] makes `import asyncferry` work in an embedded interpreter.
//!
//! # Exposing an async function in five lines
//!
//! The four lines of `parse`, and one that adds it to its module:
//!
//! ```
//! use asyncferry_python::{Job, future_to_awaitable};
//! use pyo3::prelude::*;
//!
//! #[pyfunction]
//! fn parse(py: Python<'_>, text: String) -> PyResult<Bound<'_, Job>> {
//!     future_to_awaitable(py, async move { parsed(&text).await })
//! }
//!
//! #[pymodule]
//! fn numbers(module: &Bound<'_, PyModule>) -> PyResult<()> {
//!     module.add_function(wrap_pyfunction!(parse, module)?)
//! }
//!
//! /// Any async function of Rust.
//! async fn parsed(text: &str) -> Result<i64, std::num::ParseIntError> {
//!     text.trim().parse()
//! }
//! #
//! # fn main() -> PyResult<()> {
//! #     use pyo3::types::IntoPyDict;
//! #     asyncferry_python::interpreter::ensure_started().expect("there is a Python");
//! #     Python::attach(|py| {
//! #         let globals = [("numbers", pyo3::wrap_pymodule!(numbers)(py))].into_py_dict(py)?;
//! #         let program = c"async def main():\n    assert await numbers.parse(' 42 ') == 42\nimport asyncio\nasyncio.run(main())";
//! #         py.run(program, Some(&globals), None)
//! #     })
//! # }
//! ```
//!
//! In Python: `await numbers.parse("42")`. The future takes its arguments along, as it outlives the call. What it
//! fails with needs no conversion, see below. There is no attribute macro: a function does, and leaves pyo3's own
//! attributes and the choice of [`blocking_to_awaitable`] to you. A whole module, with its build and a program
//! that uses it, is in `examples/rust_extension`; `docs/migrating-from-pyo3-async-runtimes.md` is for those who
//! come from there.
//!
//! # Using it
//!
//! Take `pyo3` in the version that this crate is built with (0.30).
//!
//! An extension module takes this crate with `default-features = false`. It adds the feature `anyhow` if its futures
//! fail with `anyhow::Error`: a `PyErr` that `?` made one is found in it only then. Each extension module has a bridge
//! of its own, with its own threads and its own classes. Its errors are caught by `except asyncferry.FerryError` too where
//! the package `asyncferry` is installed; add [`FerryError`] to a module that is used without it.
//!
//! A program that embeds Python finds libpython at run time only if its own build script says where it was at build
//! time:
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
mod call;
mod callback;
mod calling;
mod carried;
mod context;
mod coroutine;
mod coroutine_job;
mod count;
mod digest;
mod drain;
mod effects;
mod exit;
mod expose;
mod failure;
mod foreign;
mod fork;
mod gather;
mod gil_cell;
mod glue;
mod group;
mod held;
mod home;
mod inherit;
#[cfg(feature = "embed")]
pub mod interpreter;
mod job;
#[cfg(feature = "embed")]
pub mod kernel;
mod map;
#[cfg(doctest)]
mod migrating;
mod module;
mod names;
mod operation;
mod orphans;
#[cfg(feature = "embed")]
mod package;
mod pool;
pub mod primitives;
mod progress;
mod race;
mod reading;
mod registry;
#[cfg(feature = "embed")]
pub mod run;
mod settings;
mod slots;
mod source;
mod stage;
mod submit;
mod tasks;
mod threads;
mod timer;
mod trio;
mod turn;
mod unseen;
mod value;
mod virtual_clock;
mod wait;
mod waiter;

pub use artifact::{Artifact, ArtifactInfo};
pub use coroutine::{PyFuture, awaitable_to_future, start_awaitable};
pub use digest::register_digest;
pub use exit::at_exit;
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
pub use pool::{Pool, rust_default_pool as default_pool, set_default_pool};
pub use registry::register;
