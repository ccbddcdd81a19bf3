//! [`ScriptError`]: what a script fails with, for those outside of it.

use asyncferry::Failure;
use std::{error::Error, fmt, sync::Arc};
use wren::TraceFrame;

/// What a script failed with: the error, with the calls that were under way. If it's one that the script was given, by what it
/// awaited, that is its [source](Error::source): a task's error with its own calls, or Python's exception with its traceback.
///
/// A [`Failure::Failed`] of a [`Vm`](crate::Vm) holds one, unless the script was never begun.
#[derive(Clone, Debug)]
pub struct ScriptError {
    error: wren::Error,
    source: Option<Arc<dyn Error + Send + Sync>>,
}

impl ScriptError {
    pub(crate) fn new(error: wren::Error, source: Option<Arc<dyn Error + Send + Sync>>) -> Self {
        Self { error, source }
    }

    /// The one that a failure holds.
    pub fn of(failure: &Failure) -> Option<&Self> {
        let Failure::Failed(error) = failure else { return None };
        error.downcast_ref()
    }

    /// What it says, without the calls.
    pub fn message(&self) -> String {
        match &self.error {
            wren::Error::Runtime(error) => error.message.clone(),
            other => other.to_string().lines().next().unwrap_or_default().to_owned(),
        }
    }

    /// The calls that were under way, the innermost first.
    pub fn trace(&self) -> &[TraceFrame] {
        self.error.trace()
    }

    /// The machine's own error.
    pub fn error(&self) -> &wren::Error {
        &self.error
    }

    /// The value that the script failed with, if it's not just a message.
    pub(crate) fn value(&self) -> Option<&wren::Value> {
        match &self.error {
            wren::Error::Runtime(error) => Some(&error.value).filter(|value| **value != wren::Value::Null),
            _ => None,
        }
    }
}

impl fmt::Display for ScriptError {
    /// As Wren shows it; then where it comes from.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.error.fmt(f)?;
        let Some(source) = &self.source else { return Ok(()) };
        let told = source.to_string();
        let message = self.message();
        match told.strip_prefix(&message).map(|calls| calls.trim_start_matches('\n')) {
            Some("") => Ok(()),
            Some(calls) => write!(f, "\nIt comes from a task:\n{calls}"),
            None => write!(f, "\nIt comes from a task:\n{told}"),
        }
    }
}

impl Error for ScriptError {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        self.source.as_ref().map(|source| &**source as &(dyn Error + 'static))
    }
}

/// What a script sees of a failure, in words.
pub(crate) fn message_of(failure: &Failure) -> String {
    match failure {
        Failure::Cancelled(_) => CANCELLED.to_owned(),
        Failure::Failed(error) => match error.downcast_ref::<ScriptError>() {
            Some(error) => error.message(),
            None => error.to_string(),
        },
    }
}

/// What a script sees of a cancellation.
pub(crate) const CANCELLED: &str = "future was cancelled";
