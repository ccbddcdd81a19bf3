//! Files, without holding up the loop: std's operations, run as blocking work.
//!
//! | | |
//! |---|---|
//! | natively | on the threads for [`spawn_blocking`] |
//! | WASI | on the loop, at the next turn, as there are no threads: a slow disk holds up the program. What the host has not opened for the program isn't there |
//! | browser | each gives an error of kind [`Unsupported`](std::io::ErrorKind::Unsupported), which is an [`AsyncError::PlatformNotSupported`](crate::AsyncError) |
//!
//! Under a virtual clock they run on the loop as well, so a test that reads files repeats.
//!
//! Each function says what [`std::fs`]'s of its name says, and its errors are std's.
//!
//! # Cancel safety
//! What has begun can't be taken back: a function whose future is dropped may or may not have done its work, but none
//! is left half-way that std doesn't leave half-way. A [`File`] keeps what its last operation found until it's asked
//! again, so a read that was dropped loses nothing.

mod directory;
mod file;

pub use directory::{
    DirEntry, canonicalize, copy, create_dir, create_dir_all, hard_link, metadata, read, read_dir, read_link,
    read_to_string, remove_dir, remove_dir_all, remove_file, rename, set_permissions, symlink_metadata,
    try_exists, write,
};
pub use file::{File, OpenOptions};

use crate::{error::AsyncError, executor::platform, task::spawn_blocking};
use std::io;

/// Runs `operation` as blocking work.
async fn blocking<T: Send + 'static>(
    operation: impl FnOnce() -> io::Result<T> + Send + 'static,
) -> io::Result<T> {
    supported()?;
    spawn_blocking(operation).await.unwrap_or_else(|error| Err(io::Error::other(error)))
}

/// Whether there are files here.
fn supported() -> io::Result<()> {
    if platform::HAS_FILES {
        return Ok(());
    }
    let error = AsyncError::PlatformNotSupported(
        "there are no files in the browser; keep data with what the page has, such as fetch or IndexedDB"
            .to_owned(),
    );
    Err(io::Error::new(io::ErrorKind::Unsupported, error))
}

#[cfg(all(test, not(ferry_loom), not(miri)))]
mod tests;
