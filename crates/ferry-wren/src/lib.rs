//! Wren fibers on Ferry: scripts that await Rust, Python and each other.
//!
//! A [`Vm`] is a machine of [`wren`] on the loop of its thread. Scripts import the module `async`; a fiber that waits parks, and
//! others go on. What a script awaits, what it sends and who calls it may be in any language:
//!
//! ```
//! use asyncferry::{AsyncRuntime, Order, sleep};
//! use asyncferry_wren::Vm;
//! use std::{io, time::Duration};
//!
//! AsyncRuntime::block_on_virtual(Order::Fifo, async {
//!     let vm = Vm::builder().write(|text| print!("{text}")).build();
//!     vm.register_async("double", |number: i64| async move {
//!         sleep(Duration::from_millis(10)).await;
//!         Ok::<_, io::Error>(2 * number)
//!     })
//!     .unwrap();
//!     vm.run("main", "
//!         import \"async\" for Async
//!         var tasks = (1..3).map {|n| Async.call(\"double\", [n]) }.toList
//!         System.print(Async.all(tasks))
//!
//!         class Rules {
//!           static total(numbers) {
//!             Async.sleep(5)
//!             return numbers.reduce(0) {|sum, n| sum + n }
//!           }
//!         }
//!     ").await.unwrap();
//!     let total: i64 = vm.call_async("main", "Rules.total(_)", (vec![1, 2, 3],)).await.unwrap();
//!     assert_eq!(total, 6);
//! });
//! ```
//!
//! - [`Vm`] and [`VmBuilder`] are the host's side; [`VmHandle`] is a `Vm` for other threads.
//! - [`ScriptError`] is what scripts fail with, with their calls.
//! - `docs/wren-async.md` is the script's side: the modules `async`, `timer`, `scheduler`, `io` and `os`.
//!
//! # How it's built
//! The *home* (`home.rs`) has the machine, and is on one thread. Each fiber that was begun from outside or by `Async.spawn` has a task of
//! the loop (`fiber.rs`), which runs it, and waits for what it waits for (`park.rs`). Scripts hold tasks (`task.rs`) by objects or numbers.
//! Other threads send letters (`mail.rs`). Values are converted at home (`values.rs`).

mod chain;
mod channel;
mod combine;
mod error;
mod fiber;
mod home;
mod host;
mod ids;
mod limits;
mod mail;
mod modules;
mod park;
mod primitives;
mod stream;
mod task;
mod values;
mod vm;

pub use error::ScriptError;
pub use vm::{Idle, Vm, VmBuilder, VmHandle};
pub use wren::{CompileError, Context, Files, FromArgs, Loader, TraceFrame};
