//! [`Drained`]: whether all ended in time.

use std::{fmt, time::Duration};

/// So long a drain waits for what it has cancelled to clean up.
pub const CLEANUP: Duration = Duration::from_secs(1);

/// How a drain with a deadline ended.
#[derive(Clone, Debug, PartialEq, Eq)]
#[must_use = "what was left was cancelled"]
pub enum Drained {
    /// All that was in flight has ended.
    Finished,
    /// Some of it had not ended by the deadline, and was cancelled.
    DeadlinePassed {
        /// The names of what was left, the oldest first.
        left: Vec<String>,
    },
}

impl Drained {
    /// Whether all ended in time.
    pub fn is_finished(&self) -> bool {
        *self == Self::Finished
    }
}

impl fmt::Display for Drained {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Finished => f.write_str("all ended in time"),
            Self::DeadlinePassed { left } => write!(f, "not ended in time: {}", left.join(", ")),
        }
    }
}
