//! Unix.

use super::Numbers;
use rustix::{
    process::{Pid, Signal, kill_process},
    termios::{OptionalActions, Termios, tcgetattr, tcsetattr},
};
use std::{
    fs::{DirBuilder, File, Metadata, OpenOptions},
    io,
    os::{
        fd::AsRawFd,
        unix::{
            fs::{DirBuilderExt, MetadataExt, OpenOptionsExt},
            process::ExitStatusExt,
        },
    },
    path::Path,
    process::{Child, ExitStatus},
};

/// For its owner alone, as Wren's command line makes it.
pub(crate) fn create_directory(path: &Path) -> io::Result<()> {
    DirBuilder::new().mode(0o700).create(path)
}

/// New files are for their owner alone; what's written is on the disk at once, if that's asked for.
pub(crate) fn prepare(options: &mut OpenOptions, is_sync: bool) {
    options.mode(0o600);
    if is_sync {
        options.custom_flags(rustix::fs::OFlags::SYNC.bits().cast_signed());
    }
}

pub(crate) fn descriptor(file: &File) -> i64 {
    file.as_raw_fd().into()
}

pub(crate) fn numbers(metadata: &Metadata) -> Numbers {
    Numbers {
        block_count: metadata.blocks(),
        block_size: metadata.blksize(),
        device: metadata.dev(),
        group: metadata.gid().into(),
        inode: metadata.ino(),
        link_count: metadata.nlink(),
        mode: metadata.mode().into(),
        special_device: metadata.rdev(),
        user: metadata.uid().into(),
    }
}

pub(crate) fn parent_id() -> u32 {
    std::os::unix::process::parent_id()
}

/// A shell's way to tell how a program ended.
pub(crate) fn exit_code(status: ExitStatus) -> i32 {
    status.code().or_else(|| status.signal().map(|signal| 128 + signal)).unwrap_or(-1)
}

/// What kills a program that runs, from wherever.
pub(crate) struct Killer(Pid);

impl Killer {
    pub(crate) fn of(child: &Child) -> Self {
        Self(Pid::from_child(child))
    }

    pub(crate) fn kill(&self) {
        // It may have ended.
        let _ = kill_process(self.0, Signal::TERM);
    }
}

/// What a terminal was like before it was made raw.
pub(crate) struct Terminal(Termios);

/// Makes standard input's terminal raw.
pub(crate) fn make_raw() -> io::Result<Terminal> {
    let before = tcgetattr(io::stdin())?;
    let mut raw = before.clone();
    raw.make_raw();
    tcsetattr(io::stdin(), OptionalActions::Now, &raw)?;
    Ok(Terminal(before))
}

impl Terminal {
    pub(crate) fn restore(&self) -> io::Result<()> {
        Ok(tcsetattr(io::stdin(), OptionalActions::Now, &self.0)?)
    }
}
