//! `digest_file`: the BLAKE3 hash of a file, as a job on a thread of its own.

use crate::{
    artifact::{Artifact, ArtifactInfo, Tags},
    expose::blocking_to_awaitable,
    job::Job,
};
use asyncferry::jobs::{AlreadyRegistered, Pool};
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
    blocking_to_awaitable(py, move |interest| match hash(&file, || interest.is_gone()) {
        Ok(content_hash) => Ok(Artifact::from(ArtifactInfo { id, content_hash, tags: tags.0 })),
        Err(error) => Err(os_error(&error, &file)),
    })
}

/// Registers the job `digest` with a pool: of a path it makes what `digest_file` makes, an Artifact, for whichever language calls it.
///
/// # Errors
/// [`AlreadyRegistered`].
///
/// ```
/// use asyncferry::{AsyncRuntime, Value, jobs::Pool};
///
/// let pool = Pool::new();
/// asyncferry_python::register_digest(&pool).unwrap();
/// AsyncRuntime::block_on(async {
///     let job = pool.named("digest", Value::from_iter([Value::from("Cargo.toml")])).submit().await.unwrap();
///     let made = job.await.unwrap();
///     assert_eq!(made.get("content_hash").and_then(Value::as_str).map(str::len), Some(64));
/// });
/// ```
pub fn register_digest(pool: &Pool) -> Result<(), AlreadyRegistered> {
    pool.register_blocking("digest", |job, (path,): (String,)| {
        match hash(Path::new(&path), || job.is_cancelled()) {
            Ok(content_hash) => Ok(ArtifactInfo { id: path, content_hash, tags: Vec::new() }),
            Err(error) => Err(format!("{path}: {}", words(&error))),
        }
    })
}

/// The system's words, without the number that Rust adds to them.
fn words(error: &io::Error) -> String {
    let text = error.to_string();
    text.split(" (os error").next().unwrap_or_default().to_owned()
}

fn hash(path: &Path, is_gone: impl Fn() -> bool) -> io::Result<String> {
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
            if is_gone() {
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
            // Python shows the number anyway.
            PyOSError::new_err((number, words(&io::Error::from_raw_os_error(number)), path.into_os_string()))
        }
        None if error.kind() == ErrorKind::InvalidInput => PyValueError::new_err("embedded null byte"),
        None => PyOSError::new_err(format!("{}: {error}", path.display())),
    }
}
