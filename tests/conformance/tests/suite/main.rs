//! One suite for all platforms: what Ferry promises, but for what a platform can't do, and that it says so there.

mod cancelling;
mod files;
mod groups;
mod locals;
mod metrics;
mod platforms;
mod primitives;
mod selecting;
mod tasks;
mod time;
