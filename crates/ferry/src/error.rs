//! [`AsyncError`], what the runtime's own operations fail with, and [`Failure`], how a promise ends when it
//! doesn't complete.

use crate::cancel::Cancelled;
use std::{any::Any, error::Error, fmt, sync::Arc, time::Duration};

/// An error of the runtime. The same eight kinds on every platform.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum AsyncError {
    /// A task could not be joined: its loop or its runtime ended before it did.
    JoinError(String),
    /// The work was cancelled; the text says by what, or repeats the message of the cancel request.
    Cancelled(String),
    /// The time given to [`timeout`](crate::timeout) ran out.
    Timeout(Duration),
    /// The runtime was used in a way that it can't serve, as a `block_on` inside another.
    Runtime(String),
    /// A task could not be started.
    Spawn(String),
    /// A task panicked; the text is the panic's.
    Panic(String),
    /// This platform can't do it.
    PlatformNotSupported(String),
    /// Any other failure, as text.
    Other(String),
}

impl AsyncError {
    /// Makes a [`AsyncError::Panic`] of what `catch_unwind` caught, keeping the panic's text.
    pub fn from_panic(payload: Box<dyn Any + Send>) -> Self {
        let text = match payload.downcast::<String>() {
            Ok(text) => *text,
            Err(payload) => match payload.downcast_ref::<&'static str>() {
                Some(text) => (*text).to_owned(),
                None => "a panic whose payload is not text".to_owned(),
            },
        };
        Self::Panic(text)
    }
}

impl fmt::Display for AsyncError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::JoinError(text) => write!(f, "the task could not be joined: {text}"),
            Self::Cancelled(text) if text.is_empty() => f.write_str("cancelled"),
            Self::Cancelled(text) => write!(f, "cancelled: {text}"),
            Self::Timeout(after) => write!(f, "timed out after {after:?}"),
            Self::Runtime(text) => write!(f, "the runtime can't do this: {text}"),
            Self::Spawn(text) => write!(f, "the task could not be started: {text}"),
            Self::Panic(text) => write!(f, "panicked: {text}"),
            Self::PlatformNotSupported(text) => write!(f, "not supported on this platform: {text}"),
            Self::Other(text) => f.write_str(text),
        }
    }
}

impl Error for AsyncError {}

/// How a promise ends when it doesn't complete. Clones share the error, so that each of many waiters gets
/// the same one.
#[derive(Clone, Debug)]
pub enum Failure {
    /// State 2: the work failed, with this error. Downcast it to get back what the work failed with.
    Failed(Arc<dyn Error + Send + Sync>),
    /// State 3: the work was cancelled, with the message of the request if it had one.
    Cancelled(Option<Arc<str>>),
}

impl Failure {
    /// A failure that carries `error`, which may be any error type, `anyhow`'s or a text among them. An
    /// error that is a `Failure`, a [`Cancelled`] or an [`AsyncError::Cancelled`] already keeps its meaning.
    pub fn from_error(error: impl Into<Box<dyn Error + Send + Sync>>) -> Self {
        let error = match error.into().downcast::<Self>() {
            Ok(failure) => return *failure,
            Err(error) => error,
        };
        if let Some(cancelled) = error.downcast_ref::<Cancelled>() {
            return cancelled.clone().into();
        }
        match error.downcast_ref::<AsyncError>() {
            Some(AsyncError::Cancelled(text)) => Self::cancelled(text),
            _ => Self::Failed(Arc::from(error)),
        }
    }

    /// A cancellation with `message`; an empty one counts as none.
    pub fn cancelled(message: &str) -> Self {
        Self::Cancelled((!message.is_empty()).then(|| Arc::from(message)))
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Failed(error) => error.fmt(f),
            Self::Cancelled(None) => f.write_str("cancelled"),
            Self::Cancelled(Some(message)) => write!(f, "cancelled: {message}"),
        }
    }
}

impl Error for Failure {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        match self {
            Self::Failed(error) => error.source(),
            Self::Cancelled(_) => None,
        }
    }
}

impl From<Failure> for AsyncError {
    fn from(failure: Failure) -> Self {
        match failure {
            Failure::Failed(error) => match error.downcast_ref::<AsyncError>() {
                Some(known) => known.clone(),
                None => Self::Other(error.to_string()),
            },
            Failure::Cancelled(message) => Self::Cancelled(message.as_deref().unwrap_or_default().to_owned()),
        }
    }
}

impl From<AsyncError> for Failure {
    fn from(error: AsyncError) -> Self {
        Self::from_error(error)
    }
}

#[cfg(all(test, not(ferry_loom)))]
#[allow(clippy::unwrap_used, reason = "a test fails by panicking")]
mod tests {
    use super::*;
    use std::io::{Error as IoError, ErrorKind};

    #[test]
    fn an_error_comes_back_as_what_it_was() {
        let Failure::Failed(error) = Failure::from_error(IoError::from(ErrorKind::NotFound)) else {
            panic!()
        };
        assert_eq!(error.downcast_ref::<IoError>().unwrap().kind(), ErrorKind::NotFound);
        let timeout = AsyncError::Timeout(Duration::from_secs(1));
        assert_eq!(AsyncError::from(Failure::from(timeout.clone())), timeout);
        let unknown = Failure::from_error("no such job");
        assert_eq!(AsyncError::from(unknown), AsyncError::Other("no such job".to_owned()));
    }

    #[test]
    fn a_cancellation_stays_one_with_its_message() {
        let cancelled = AsyncError::Cancelled("enough".to_owned());
        let failure = Failure::from(cancelled.clone());
        assert!(matches!(&failure, Failure::Cancelled(Some(message)) if &**message == "enough"));
        // An error that's a failure already isn't wrapped once more.
        let again = Failure::from_error(failure);
        assert!(matches!(&again, Failure::Cancelled(Some(message)) if &**message == "enough"));
        assert_eq!(AsyncError::from(again), cancelled);
        assert!(matches!(Failure::from(AsyncError::Cancelled(String::new())), Failure::Cancelled(None)));
    }

    #[derive(Debug)]
    struct Outer(IoError);

    impl fmt::Display for Outer {
        fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.write_str("outer")
        }
    }

    impl Error for Outer {
        fn source(&self) -> Option<&(dyn Error + 'static)> {
            Some(&self.0)
        }
    }

    #[test]
    fn a_failure_shows_the_error_it_carries() {
        let failure = Failure::from_error(Outer(ErrorKind::NotFound.into()));
        assert_eq!(failure.to_string(), "outer");
        assert!(failure.source().unwrap().is::<IoError>(), "the chain goes on below the error itself");
        assert_eq!(Failure::cancelled("").to_string(), "cancelled");
        assert_eq!(Failure::cancelled("stop").to_string(), "cancelled: stop");
    }

    #[test]
    fn a_panics_text_is_kept_whichever_way_it_was_given() {
        let panics: [(Box<dyn Any + Send>, &str); 3] = [
            (Box::new("text"), "text"),
            (Box::new("text".to_owned()), "text"),
            (Box::new(5), "a panic whose payload is not text"),
        ];
        for (payload, expected) in panics {
            assert_eq!(AsyncError::from_panic(payload), AsyncError::Panic(expected.to_owned()));
        }
    }
}
