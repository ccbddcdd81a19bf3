//! What can go wrong with a queue: an error for each operation.

use std::{error::Error, fmt};

/// The queue was shut down. Carries the item that could not be put.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct QueueShutDown<T = ()>(pub T);

/// Why an item could not be put at once. Carries the item.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PutError<T> {
    /// There is no room now.
    Full(T),
    /// The queue was shut down.
    ShutDown(T),
}

/// Why no item could be taken at once.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum GetError {
    /// There is none now.
    Empty,
    /// There is none, and there won't be: the queue was shut down.
    ShutDown,
}

/// [`QueueWith::task_done`](super::QueueWith::task_done) was called more often than items were put.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TaskDoneTooOften;

impl<T> fmt::Display for QueueShutDown<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the queue was shut down")
    }
}

impl<T: fmt::Debug> Error for QueueShutDown<T> {}

impl<T> fmt::Display for PutError<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Full(_) => "the queue is full",
            Self::ShutDown(_) => "the queue was shut down",
        })
    }
}

impl<T: fmt::Debug> Error for PutError<T> {}

impl fmt::Display for GetError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Empty => "the queue is empty",
            Self::ShutDown => "the queue was shut down, and is empty",
        })
    }
}

impl Error for GetError {}

impl fmt::Display for TaskDoneTooOften {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("task_done was called more often than items were put")
    }
}

impl Error for TaskDoneTooOften {}
