//! [`Bell`]: what wakes a Python event loop from any thread, a file descriptor that the loop watches.
//!
//! ```text
//!   Silent ──ring──▶ Ringing (the descriptor is readable) ──hush──▶ Silent
//!      └───────────────────┴──────────close──────────▶ Closed (ring and hush do nothing)
//! ```
//!
//! The descriptor stands behind a lock, so that nobody can write to it after it was closed and its number
//! given to another file.

use std::{
    io,
    os::fd::{AsRawFd, RawFd},
    sync::{Mutex, PoisonError},
};

/// A descriptor that is readable from the first [`ring`](Self::ring) until the next [`hush`](Self::hush).
pub(crate) struct Bell {
    line: Mutex<Option<Line>>,
}

impl Bell {
    pub(crate) fn new() -> io::Result<Self> {
        Ok(Self { line: Mutex::new(Some(Line::new()?)) })
    }

    /// The descriptor to watch for reading, while the bell is open.
    pub(crate) fn descriptor(&self) -> Option<RawFd> {
        self.with(|line| line.watched().as_raw_fd())
    }

    /// Wakes the loop. Never blocks: a bell that rings already can't ring more.
    pub(crate) fn ring(&self) {
        self.with(Line::ring);
    }

    /// Makes the descriptor unreadable until the next ring.
    pub(crate) fn hush(&self) {
        self.with(Line::hush);
    }

    /// Closes the descriptor.
    pub(crate) fn close(&self) {
        let line = self.line.lock().unwrap_or_else(PoisonError::into_inner).take();
        drop(line);
    }

    fn with<R>(&self, act: impl FnOnce(&Line) -> R) -> Option<R> {
        self.line.lock().unwrap_or_else(PoisonError::into_inner).as_ref().map(act)
    }
}

#[cfg(target_os = "linux")]
use eventfd::Line;
#[cfg(not(target_os = "linux"))]
use socket::Line;

#[cfg(target_os = "linux")]
mod eventfd {
    //! One eventfd: one descriptor, eight bytes a ring.

    use rustix::{event::EventfdFlags, io};
    use std::os::fd::OwnedFd;

    pub(super) struct Line(OwnedFd);

    impl Line {
        pub(super) fn new() -> std::io::Result<Self> {
            Ok(Self(rustix::event::eventfd(0, EventfdFlags::NONBLOCK | EventfdFlags::CLOEXEC)?))
        }

        pub(super) fn watched(&self) -> &OwnedFd {
            &self.0
        }

        pub(super) fn ring(&self) {
            // It fails only when the counter is full, and then the bell rings.
            let _ = io::write(&self.0, &1u64.to_ne_bytes());
        }

        pub(super) fn hush(&self) {
            // It fails only when the bell is silent, which is what was asked for.
            let _ = io::read(&self.0, &mut [0; 8]);
        }
    }
}

#[cfg(not(target_os = "linux"))]
mod socket {
    //! A pair of sockets, for systems without eventfd.

    use std::{
        io::{Read, Result, Write},
        os::unix::net::UnixStream,
    };

    pub(super) struct Line {
        near: UnixStream,
        far: UnixStream,
    }

    impl Line {
        pub(super) fn new() -> Result<Self> {
            let (near, far) = UnixStream::pair()?;
            near.set_nonblocking(true)?;
            far.set_nonblocking(true)?;
            Ok(Self { near, far })
        }

        pub(super) fn watched(&self) -> &UnixStream {
            &self.near
        }

        pub(super) fn ring(&self) {
            // It fails only when the buffer is full, and then the bell rings.
            let _ = (&self.far).write(&[1]);
        }

        pub(super) fn hush(&self) {
            let mut rings = [0; 64];
            while matches!((&self.near).read(&mut rings), Ok(read) if read == rings.len()) {}
        }
    }
}
