//! One suite for all platforms: what Ferry promises, but for what a platform can't do, and that it says so there.

mod cancelling;
mod files;
mod groups;
#[cfg(all(target_family = "wasm", target_os = "unknown"))]
mod javascript;
mod jobs;
mod locals;
mod metrics;
mod platforms;
mod primitives;
mod selecting;
mod streaming;
mod tasks;
mod time;
#[cfg(all(target_os = "wasi", target_env = "p2"))]
mod wasi;
