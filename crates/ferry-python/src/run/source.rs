//! A program's text: read, looked over, compiled. What is wrong with it is said in one line.

use std::ffi::{CString, c_int};
use std::io::Read;
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};
use std::{fmt, fs, io};

use pyo3::exceptions::PySyntaxError;
use pyo3::ffi;
use pyo3::prelude::*;
use pyo3::types::PyString;

use super::Program;

/// What CPython calls a program given with `-c`.
pub(super) const CODE_NAME: &str = "<string>";

/// Flags of `PyCompilerFlags` that pyo3's ffi leaves out (Include/cpython/compile.h).
const IGNORE_COOKIE: c_int = 0x0800;
const ALLOW_TOP_LEVEL_AWAIT: c_int = 0x2000;

/// Why there is no program to run.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum SourceError {
    /// It cannot be read: the file is missing, or forbidden, or the disk failed.
    Unreadable {
        /// What was to be read.
        program: String,
        /// Why not, and what to do.
        why: String,
    },
    /// It is a folder.
    Folder {
        /// Its path.
        path: PathBuf,
    },
    /// It is not Python text, or not in an encoding that it declares.
    NotText {
        /// What was read.
        program: String,
        /// Where the first byte is that does not belong.
        place: Place,
        /// What is wrong, and what to do.
        why: String,
    },
    /// It does not compile.
    Syntax {
        /// What was read.
        program: String,
        /// Where, if Python says.
        place: Option<Place>,
        /// The exception's name and message.
        why: String,
    },
}

/// A line and a column, both from 1.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Place {
    /// The line.
    pub line: usize,
    /// The column, in characters; 0 if only the line is known.
    pub column: usize,
}

/// The program's bytes. Everything that can be told without Python is told here, before it starts.
pub(super) fn read(program: &Program) -> Result<Vec<u8>, SourceError> {
    let text = match program {
        Program::File(path) => read_file(path)?,
        Program::Stdin => read_stdin().map_err(|error| unreadable(program, &error))?,
        Program::Code(code) => code.as_bytes().to_vec(),
    };
    look_over(program, &text)?;
    Ok(text)
}

/// Compiles the program, with `await` allowed at its top level.
pub(super) fn compile<'py>(
    py: Python<'py>,
    program: &Program,
    text: &[u8],
) -> Result<Bound<'py, PyAny>, SourceError> {
    let code = || -> PyResult<Bound<'py, PyAny>> {
        let text = CString::new(text)?;
        let filename = filename(py, program)?;
        let mut flags = ffi::PyCompilerFlags {
            cf_flags: ALLOW_TOP_LEVEL_AWAIT | cookie_flag(program),
            cf_feature_version: py.version_info().minor.into(),
        };
        // SAFETY: the thread is attached; text (ending in NUL), filename and flags live during the call,
        // which returns a new reference, or null with an exception set.
        unsafe {
            let code = ffi::Py_CompileStringObject(
                text.as_ptr(),
                filename.as_ptr(),
                ffi::Py_file_input,
                &mut flags,
                -1,
            );
            Bound::from_owned_ptr_or_err(py, code)
        }
    };
    code().map_err(|error| syntax_error(py, program, &error))
}

/// Whether evaluating the code gives a coroutine.
pub(super) fn awaits_at_top_level(code: &Bound<'_, PyAny>) -> bool {
    let flags = code.getattr("co_flags").and_then(|flags| flags.extract::<c_int>());
    flags.is_ok_and(|flags| flags & ffi::CO_COROUTINE != 0)
}

fn read_file(path: &Path) -> Result<Vec<u8>, SourceError> {
    if path.is_dir() {
        return Err(SourceError::Folder { path: path.to_owned() });
    }
    fs::read(path).map_err(|error| unreadable(&Program::File(path.to_owned()), &error))
}

fn read_stdin() -> io::Result<Vec<u8>> {
    let mut text = Vec::new();
    io::stdin().lock().read_to_end(&mut text)?;
    Ok(text)
}

fn unreadable(program: &Program, error: &io::Error) -> SourceError {
    let why = match error.kind() {
        io::ErrorKind::NotFound => "there is no such file: check the path".to_owned(),
        io::ErrorKind::PermissionDenied => "it may not be read: check its permissions".to_owned(),
        _ => format!("it cannot be read: {error}"),
    };
    SourceError::Unreadable { program: program.to_string(), why }
}

/// Finds what cannot be Python in any encoding, and what is not UTF-8 although it declares nothing else.
fn look_over(program: &Program, text: &[u8]) -> Result<(), SourceError> {
    let not_text = |offset, why| {
        let (program, place) = (program.to_string(), Place::of(text, offset));
        Err(SourceError::NotText { program, place, why })
    };
    if let Some(offset) = text.iter().position(|byte| *byte == 0) {
        let why = "a NUL byte, so this is no Python source text. Save it as UTF-8 text".to_owned();
        return not_text(offset, why);
    }
    match std::str::from_utf8(text) {
        Err(error) if !declares_encoding(text) => {
            let offset = error.valid_up_to();
            let byte = text[offset];
            let why = format!(
                "the byte 0x{byte:02X} is not UTF-8. Save the text as UTF-8, or name its encoding in the \
                 first line, as in: # -*- coding: latin-1 -*-"
            );
            not_text(offset, why)
        }
        _ => Ok(()),
    }
}

/// Whether one of the first two lines is a comment that names an encoding (PEP 263). Whether Python knows
/// the encoding, and reads the comment the same way, compiling will show.
fn declares_encoding(text: &[u8]) -> bool {
    text.split(|byte| *byte == b'\n').take(2).any(|line| {
        let line = String::from_utf8_lossy(line);
        line.trim_start().starts_with('#') && (line.contains("coding:") || line.contains("coding="))
    })
}

/// The name that the program has in tracebacks, and as `__file__`.
fn filename<'py>(py: Python<'py>, program: &Program) -> PyResult<Bound<'py, PyString>> {
    match program {
        Program::File(path) => {
            // As Python does it, which leaves `.` and `..` in the path.
            let folder = std::env::current_dir().unwrap_or_default();
            folder.join(path).into_os_string().into_pyobject(py).map_err(Into::into)
        }
        Program::Stdin => Ok(PyString::new(py, "<stdin>")),
        Program::Code(_) => Ok(PyString::new(py, CODE_NAME)),
    }
}

/// Code from the command line is in the terminal's encoding, whatever a comment in it says.
fn cookie_flag(program: &Program) -> c_int {
    if matches!(program, Program::Code(_)) { IGNORE_COOKIE } else { 0 }
}

fn syntax_error(py: Python<'_>, program: &Program, error: &PyErr) -> SourceError {
    let value = error.value(py);
    let number = |name| value.getattr(name).and_then(|number| number.extract::<usize>()).ok();
    let is_syntax = error.is_instance_of::<PySyntaxError>(py);
    let place = number("lineno")
        .filter(|_| is_syntax)
        .map(|line| Place { line, column: number("offset").unwrap_or_default() });
    let message = match value.getattr("msg") {
        Ok(message) if is_syntax => message.to_string(),
        _ => value.to_string(),
    };
    let kind = error.get_type(py).name().map(|name| name.to_string()).unwrap_or_default();
    SourceError::Syntax { program: program.to_string(), place, why: format!("{kind}: {message}") }
}

impl Place {
    fn of(text: &[u8], offset: usize) -> Self {
        let before = &text[..offset];
        let start = before.iter().rposition(|byte| *byte == b'\n').map_or(0, |newline| newline + 1);
        let line = 1 + before.iter().filter(|byte| **byte == b'\n').count();
        Self { line, column: 1 + String::from_utf8_lossy(&before[start..]).chars().count() }
    }
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.column {
            0 => write!(f, "line {}", self.line),
            column => write!(f, "line {}, column {column}", self.line),
        }
    }
}

impl fmt::Display for Program {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::File(path) => path.display().fmt(f),
            Self::Stdin => f.write_str("standard input"),
            Self::Code(_) => f.write_str("the code after -c"),
        }
    }
}

impl fmt::Display for SourceError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unreadable { program, why } => write!(f, "{program}: {why}"),
            Self::Folder { path } => {
                let folder = path.display();
                write!(f, "{folder} is a folder: name a Python file")?;
                if path.join("__main__.py").is_file() {
                    write!(f, ", such as {}", path.join("__main__.py").display())?;
                }
                Ok(())
            }
            Self::NotText { program, place, why } | Self::Syntax { program, place: Some(place), why } => {
                write!(f, "{program}, {place}: {why}")
            }
            Self::Syntax { program, place: None, why } => write!(f, "{program}: {why}"),
        }
    }
}

impl std::error::Error for SourceError {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_count_characters_from_the_line_s_start() {
        assert_eq!(Place::of("a\néx\0".as_bytes(), 5), Place { line: 2, column: 3 });
        assert_eq!(Place::of(b"\0", 0), Place { line: 1, column: 1 });
    }

    #[test]
    fn an_encoding_is_declared_in_a_comment_of_the_first_two_lines() {
        assert!(declares_encoding(b"#!/usr/bin/python\n# -*- coding: latin-1 -*-\n"));
        assert!(declares_encoding(b"# vim: set fileencoding=koi8-r :\n"));
        assert!(!declares_encoding(b"\n\n# coding: latin-1\n"));
        assert!(!declares_encoding(b"coding = 1\n"));
    }
}
