//! `digest_file`: the BLAKE3 hash of a file, as a job on a thread of its own.

use crate::{
    artifact::{Artifact, ArtifactInfo, Tags},
    expose::{Interest, blocking_to_awaitable},
    job::Job,
};
use pyo3::{
    exceptions::{PyOSError, PyValueError},
    prelude::*,
};
use std::{
    cell::RefCell,
    fs::File,
    io::{self, ErrorKind, Read},
    path::{Path, PathBuf},
};

/// What is read between two looks at whether somebody still waits: a millisecond's work, about.
const CHUNK: usize = 1 << 20;

thread_local! {
    /// The pool's threads are reused, and so are their buffers.
    static BUFFER: RefCell<Vec<u8>> = const { RefCell::new(Vec::new()) };
}

/// Makes an Artifact of a file: its id is `path` as given, its content_hash the BLAKE3 hash of its content.
///
/// The file is read on a thread of Ferry's pool. Cancelling the awaitable stops the reading. Raises the
/// OSError that open() would raise: FileNotFoundError, IsADirectoryError, PermissionError, and so on.
#[pyfunction]
#[pyo3(signature = (path, *, tags = Tags::default()))]
pub(crate) fn digest_file<'py>(path: &Bound<'py, PyAny>, tags: Tags) -> PyResult<Bound<'py, Job>> {
    let py = path.py();
    let file: PathBuf = py.import("os")?.call_method1("fsdecode", (path,))?.extract()?;
    // In a name that is no UTF-8, what can't be shown is replaced.
    let id = file.to_string_lossy().into_owned();
    blocking_to_awaitable(py, move |interest| match hash(&file, interest) {
        Ok(content_hash) => Ok(Artifact::from(ArtifactInfo { id, content_hash, tags: tags.0 })),
        Err(error) => Err(os_error(&error, &file)),
    })
}

fn hash(path: &Path, interest: &Interest<'_>) -> io::Result<String> {
    let mut file = File::open(path)?;
    let mut hasher = blake3::Hasher::new();
    BUFFER.with_borrow_mut(|buffer| {
        buffer.resize(CHUNK, 0);
        loop {
            match file.read(buffer) {
                Ok(0) => return Ok(()),
                Ok(read) => drop(hasher.update(&buffer[..read])),
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
            if interest.is_gone() {
                // Nobody will see this: the awaitable is settled already.
                return Err(ErrorKind::Interrupted.into());
            }
        }
    })?;
    Ok(hasher.finalize().to_hex().to_string())
}

/// `OSError(errno, text, filename)`, which Python turns into the fitting subclass. Made without the GIL.
fn os_error(error: &io::Error, path: &Path) -> PyErr {
    let path = path.to_owned();
    match error.raw_os_error() {
        Some(number) => {
            let text = io::Error::from_raw_os_error(number).to_string();
            // Rust adds the number to the system's words; Python shows it anyway.
            let words = text.split(" (os error").next().unwrap_or_default().to_owned();
            PyOSError::new_err((number, words, path.into_os_string()))
        }
        None if error.kind() == ErrorKind::InvalidInput => PyValueError::new_err("embedded null byte"),
        None => PyOSError::new_err(format!("{}: {error}", path.display())),
    }
}
