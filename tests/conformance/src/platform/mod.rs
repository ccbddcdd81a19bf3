//! How a test is run here.

#[cfg(not(all(target_family = "wasm", target_os = "unknown")))]
mod blocking;
#[cfg(all(target_family = "wasm", target_os = "unknown"))]
mod browser;
#[cfg(not(all(target_family = "wasm", target_os = "unknown")))]
pub use blocking::*;
#[cfg(all(target_family = "wasm", target_os = "unknown"))]
pub use browser::*;

/// Whether there are files here.
pub const HAS_FILES: bool = CAN_BLOCK;
/// Whether there is HTTP here.
pub const HAS_HTTP: bool = cfg!(not(all(target_os = "wasi", target_env = "p1")));
/// Whether there are threads here.
pub const HAS_THREADS: bool = cfg!(not(target_family = "wasm"));
/// Whether a thread may wait here.
pub const CAN_BLOCK: bool = cfg!(not(all(target_family = "wasm", target_os = "unknown")));
/// Whether a panic unwinds here.
pub const UNWINDS: bool = cfg!(not(target_family = "wasm"));

/// A folder for what a test writes.
#[cfg(not(target_family = "wasm"))]
pub fn scratch() -> std::path::PathBuf {
    std::env::temp_dir()
}

/// A folder for what a test writes: the runner's.
#[cfg(target_family = "wasm")]
pub fn scratch() -> std::path::PathBuf {
    "/tmp".into()
}
