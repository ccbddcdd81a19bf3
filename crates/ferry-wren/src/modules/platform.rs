//! What systems have in ways of their own. This is the crate's only place with `cfg(target)`.

#[cfg(not(unix))]
mod other;
#[cfg(unix)]
mod unix;

#[cfg(not(unix))]
pub(super) use other::*;
#[cfg(unix)]
pub(super) use unix::*;

/// The numbers of a file that `Stat` tells of.
#[derive(Default)]
pub(crate) struct Numbers {
    pub(crate) block_count: u64,
    pub(crate) block_size: u64,
    pub(crate) device: u64,
    pub(crate) group: u64,
    pub(crate) inode: u64,
    pub(crate) link_count: u64,
    pub(crate) mode: u64,
    pub(crate) special_device: u64,
    pub(crate) user: u64,
}
