//! What can go wrong: [`CompileError`] with a source, [`Error`] with everything else.

use crate::Value;
use std::fmt;

/// Something that Wren's compiler refuses.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CompileError {
    /// The module that was compiled.
    pub module: String,
    /// From 1.
    pub line: u32,
    /// What is wrong, with the token that it was found at.
    pub message: String,
}

impl fmt::Display for CompileError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "[{} line {}] {}", self.module, self.line, self.message)
    }
}

impl std::error::Error for CompileError {}

/// A call that was under way when an error happened.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TraceFrame {
    /// The module of the code.
    pub module: String,
    /// From 1.
    pub line: u32,
    /// The method or function; `(script)` for the code of a module.
    pub function: String,
}

impl fmt::Display for TraceFrame {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "[{} line {}] in {}", self.module, self.line, self.function)
    }
}

/// An error of a program that no `try` of it caught.
#[derive(Clone, Debug, PartialEq)]
pub struct RuntimeError {
    /// What it says; `[error object]` if [`value`](Self::value) is no string, as Wren shows it.
    pub message: String,
    /// What the program failed with.
    pub value: Value,
    /// The calls that were under way, the innermost first. Those of the core classes are left out, as Wren does it.
    pub trace: Vec<TraceFrame>,
    /// What was wrong with the module that was imported, if that's what this is about.
    pub compile_errors: Vec<CompileError>,
}

impl fmt::Display for RuntimeError {
    /// As Wren shows it: the message, and a line for each call.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)?;
        self.trace.iter().try_for_each(|frame| write!(f, "\n{frame}"))
    }
}

/// Why a call of a [`Vm`](crate::Vm) gives no value.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub enum Error {
    /// The compiler refuses the source.
    Compile(Vec<CompileError>),
    /// The program failed.
    Runtime(Box<RuntimeError>),
    /// Somebody wanted it to stop: see [`Interrupt`](crate::Interrupt).
    Interrupted(Vec<TraceFrame>),
    /// It used up its [steps](crate::VmBuilder::steps).
    OutOfSteps(Vec<TraceFrame>),
    /// The host's [guard](crate::VmBuilder::guard) stopped it: why.
    Stopped(String, Vec<TraceFrame>),
    /// What was called suspended its fiber, which a plain call can't wait for.
    Suspended,
    /// The call itself was wrong: what is wrong with it.
    Misuse(String),
}

impl Error {
    /// An error that a foreign method fails with: the program sees the message.
    pub fn new(message: impl fmt::Display) -> Self {
        let message = message.to_string();
        Self::with_value(message.clone(), Value::String(message))
    }

    /// As [`new`](Self::new), with a value that the program sees in its place.
    pub fn with_value(message: impl Into<String>, value: Value) -> Self {
        let message = message.into();
        Self::Runtime(Box::new(RuntimeError {
            message,
            value,
            trace: Vec::new(),
            compile_errors: Vec::new(),
        }))
    }

    /// The calls that were under way.
    pub fn trace(&self) -> &[TraceFrame] {
        match self {
            Self::Runtime(error) => &error.trace,
            Self::Interrupted(trace) | Self::OutOfSteps(trace) | Self::Stopped(_, trace) => trace,
            Self::Compile(_) | Self::Suspended | Self::Misuse(_) => &[],
        }
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let with_trace = |f: &mut fmt::Formatter<'_>, message: &str, trace: &[TraceFrame]| {
            f.write_str(message)?;
            trace.iter().try_for_each(|frame| write!(f, "\n{frame}"))
        };
        match self {
            Self::Compile(errors) => {
                let lines: Vec<String> = errors.iter().map(ToString::to_string).collect();
                f.write_str(&lines.join("\n"))
            }
            Self::Runtime(error) => error.fmt(f),
            Self::Interrupted(trace) => with_trace(f, "The program was interrupted.", trace),
            Self::OutOfSteps(trace) => with_trace(f, "The program used up its steps.", trace),
            Self::Stopped(reason, trace) => with_trace(f, reason, trace),
            Self::Suspended => {
                f.write_str("The function suspended its fiber: start it as a fiber to wait for it.")
            }
            Self::Misuse(what) => f.write_str(what),
        }
    }
}

impl std::error::Error for Error {}

impl From<String> for Error {
    fn from(message: String) -> Self {
        Self::new(message)
    }
}

impl From<&str> for Error {
    fn from(message: &str) -> Self {
        Self::new(message)
    }
}
