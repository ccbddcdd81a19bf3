//! One suite for all platforms: what Ferry promises, but for what a platform can't do, and that it says so there.

mod cancelling;
mod groups;
mod platforms;
mod primitives;
mod tasks;
mod time;
