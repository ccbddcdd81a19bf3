//! What submitting a job fails with.

use crate::value::ValueError;
use std::{error::Error, fmt, sync::Arc};

/// Why a job was not taken. Its work is dropped.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub enum SubmitError {
    /// As many jobs wait as may, and the submitter doesn't.
    Full {
        /// How many that are.
        max_queued: usize,
    },
    /// The pool takes no more jobs.
    ShutDown,
    /// A thread that blocked here would keep the pool's own loop from making room.
    WouldBlockLoop,
    /// The process was forked since the pool was made, and its threads are in the parent.
    Forked,
    /// The system gives no thread to run jobs on, and no loop runs here that could.
    NoWorker(Arc<str>),
    /// No job is registered with this name.
    UnknownName {
        /// The name.
        name: Arc<str>,
        /// Some of those that are registered.
        known: Vec<Arc<str>>,
    },
    /// The arguments can't be handed on: they are too deep or too large.
    Arguments {
        /// The job.
        name: Arc<str>,
        /// What is wrong.
        error: ValueError,
    },
    /// The deadline of a latent job is no number.
    Deadline(f64),
}

impl fmt::Display for SubmitError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Full { max_queued } => write!(
                f,
                "the pool is full: {max_queued} jobs wait already; await some before you submit more, or wait for room"
            ),
            Self::ShutDown => f.write_str("the pool was shut down and takes no more jobs"),
            Self::WouldBlockLoop => f.write_str(
                "the pool is full, and blocking here would stop the loop that its jobs run on: await submit() instead",
            ),
            Self::Forked => f.write_str(
                "the pool was made before this process was forked, and its threads are in the parent: make another",
            ),
            Self::NoWorker(error) => write!(f, "there is nothing to run the job on: {error}"),
            Self::UnknownName { name, known } => {
                write!(f, "no job is registered as '{name}'; registered are: ")?;
                list(f, known)
            }
            Self::Arguments { name, error } => write!(f, "job '{name}' can't be given these arguments: {error}"),
            Self::Deadline(deadline) => write!(f, "the deadline of a latent job must be a number, not {deadline}"),
        }
    }
}

impl Error for SubmitError {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        match self {
            Self::Arguments { error, .. } => Some(error),
            _ => None,
        }
    }
}

/// So many names are listed in an error.
const LISTED: usize = 20;

fn list(f: &mut fmt::Formatter<'_>, names: &[Arc<str>]) -> fmt::Result {
    if names.is_empty() {
        return f.write_str("none yet");
    }
    for (place, name) in names.iter().take(LISTED).enumerate() {
        write!(f, "{}'{name}'", if place > 0 { ", " } else { "" })?;
    }
    if names.len() > LISTED { write!(f, " and {} more", names.len() - LISTED) } else { Ok(()) }
}
