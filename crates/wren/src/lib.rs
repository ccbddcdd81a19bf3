//! The Wren language, version 0.4, in Rust. It knows nothing of Ferry.
//!
//! So far this is its front half: [`compile`] makes bytecode of a module's source, or says what is wrong with it, in the
//! words of Wren's own compiler. The machine that runs the bytecode is not here yet.
//!
//! ```
//! let module = wren::compile("main", "var greeting = \"hello\"\nSystem.print(greeting)").unwrap();
//! assert_eq!(module.variables[0].name, "greeting");
//!
//! let errors = wren::compile("main", "System.print(greeting").unwrap_err();
//! assert_eq!(errors[0].to_string(), "[main line 1] Error at end of file: Expect ')' after arguments.");
//! ```
#![forbid(unsafe_code)]

mod bytecode;
mod compiler;
mod error;

pub use bytecode::{
    Attribute, AttributeValue, ClassAttributes, Constant, Function, Module, ModuleVariable, Op,
};
pub use compiler::{Limits, compile, compile_within};
pub use error::CompileError;
