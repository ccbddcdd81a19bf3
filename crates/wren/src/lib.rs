//! The Wren language, version 0.4, in Rust: a virtual machine that can be trusted with scripts. It knows nothing of Ferry.
//!
//! ```
//! let mut vm = wren::Vm::builder().write(|text| print!("{text}")).steps(1_000_000).memory(64 << 20).build();
//! vm.run("main", "
//! class Greeter {
//!   construct new(name) { _name = name }
//!   greet() { \"Hello, %(_name)!\" }
//! }
//! System.print(Greeter.new(\"Wren\").greet())
//! ").unwrap();
//!
//! let error = vm.run("main", "Greeter.new(\"Wren\").dance()").unwrap_err();
//! assert_eq!(error.to_string(), "Greeter does not implement 'dance()'.\n[main line 1] in (script)");
//! ```
//!
//! [`Vm`] is a machine, [`VmBuilder`] says what it may use and what it can call, [`Context`] runs code on it. Values go in and
//! out as [`Value`]s, or as Rust's own types. [`compile`] shows what the compiler makes of a source.

mod bytecode;
mod clock;
mod compiler;
mod context;
mod convert;
mod core;
mod error;
mod handle;
mod heap;
mod loader;
mod machine;
mod object;
mod optional;
mod value;
mod vm;
mod word;

pub use bytecode::{
    Attribute, AttributeValue, ClassAttributes, Constant, Function as CodeFunction, Module, ModuleVariable,
    Op,
};
pub use compiler::{Limits, compile, compile_within};
pub use context::{Context, Receiver, Run};
pub use convert::{Expected, FromArgs, FromWren, Reply, Suspend, ToArgs, ToWren};
pub use error::{CompileError, Error, RuntimeError, TraceFrame};
pub use handle::Handle;
pub use loader::{Files, Loader, NoModules};
pub use value::{Class, Fiber, Function, List, Map, Object, Range, Value};
pub use vm::{Interrupt, Vm, VmBuilder};
