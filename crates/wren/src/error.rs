//! [`CompileError`]: what is wrong with a source, and where.

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
