//! Systems that are no Unix: WASI, browsers, Windows. What they don't have is zero.

use super::Numbers;
use std::{
    fs::{File, Metadata, OpenOptions},
    io,
    path::Path,
    process::{Child, ExitStatus},
};

pub(crate) fn create_directory(path: &Path) -> io::Result<()> {
    std::fs::create_dir(path)
}

pub(crate) fn prepare(_options: &mut OpenOptions, _is_sync: bool) {}

pub(crate) fn descriptor(_file: &File) -> i64 {
    0
}

pub(crate) fn numbers(_metadata: &Metadata) -> Numbers {
    Numbers::default()
}

pub(crate) fn parent_id() -> u32 {
    0
}

pub(crate) fn exit_code(status: ExitStatus) -> i32 {
    status.code().unwrap_or(-1)
}

/// Programs can't be stopped by others here.
pub(crate) struct Killer;

impl Killer {
    pub(crate) fn of(_child: &Child) -> Self {
        Self
    }

    pub(crate) fn kill(&self) {}
}

/// There is no terminal that could be made raw.
pub(crate) struct Terminal;

pub(crate) fn make_raw() -> io::Result<Terminal> {
    Err(io::Error::from(io::ErrorKind::Unsupported))
}

impl Terminal {
    pub(crate) fn restore(&self) -> io::Result<()> {
        Ok(())
    }
}
