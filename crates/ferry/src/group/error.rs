//! [`GroupError`]: how a group ends that doesn't complete.

use crate::{
    cancel::Cancelled,
    error::{AsyncError, Failure},
};
use std::{error::Error, fmt, sync::Arc};

/// Why a [`task_group`](crate::task_group) gave no value: its errors, or that it was cancelled from outside.
///
/// As the `ExceptionGroup` of CPython 3.13's
/// [`TaskGroup`](https://docs.python.org/3.13/library/asyncio-task.html#asyncio.TaskGroup). It turns into a
/// [`Failure`], which is cancelled when the group was.
#[derive(Clone, Debug)]
pub struct GroupError(Why);

#[derive(Clone, Debug)]
enum Why {
    /// At least one.
    Errors(Vec<Arc<dyn Error + Send + Sync>>),
    Cancelled(Cancelled),
}

impl GroupError {
    pub(super) fn cancelled_by(cancelled: Cancelled) -> Self {
        Self(Why::Cancelled(cancelled))
    }

    pub(super) fn from_errors(errors: Vec<Arc<dyn Error + Send + Sync>>) -> Self {
        Self(Why::Errors(errors))
    }

    /// What the tasks failed with, in the order in which they did, and last what the body failed with; a panic is an
    /// [`AsyncError::Panic`]. Downcast one to get back what it was. Empty when the group was cancelled.
    pub fn errors(&self) -> &[Arc<dyn Error + Send + Sync>] {
        match &self.0 {
            Why::Errors(errors) => errors,
            Why::Cancelled(_) => &[],
        }
    }

    /// The request that ended the group, when it came from outside and nothing failed.
    pub fn cancelled(&self) -> Option<&Cancelled> {
        match &self.0 {
            Why::Errors(_) => None,
            Why::Cancelled(cancelled) => Some(cancelled),
        }
    }
}

impl fmt::Display for GroupError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.0 {
            Why::Cancelled(cancelled) => write!(f, "the group was {cancelled}"),
            Why::Errors(errors) if errors.len() == 1 => {
                write!(f, "a task of the group failed: {}", errors[0])
            }
            Why::Errors(errors) => {
                write!(f, "{} tasks of the group failed: ", errors.len())?;
                for (number, error) in errors.iter().enumerate() {
                    let comma = if number > 0 { "; " } else { "" };
                    write!(f, "{comma}{error}")?;
                }
                Ok(())
            }
        }
    }
}

impl Error for GroupError {
    /// The first error.
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        match &self.0 {
            Why::Errors(errors) => errors.first().map(|error| &**error as &(dyn Error + 'static)),
            Why::Cancelled(cancelled) => Some(cancelled),
        }
    }
}

impl From<GroupError> for Failure {
    fn from(error: GroupError) -> Self {
        match error.0 {
            Why::Cancelled(cancelled) => cancelled.into(),
            Why::Errors(_) => Self::Failed(Arc::new(error)),
        }
    }
}

impl From<GroupError> for AsyncError {
    fn from(error: GroupError) -> Self {
        match error.0 {
            Why::Cancelled(cancelled) => cancelled.into(),
            Why::Errors(_) => Self::Other(error.to_string()),
        }
    }
}
