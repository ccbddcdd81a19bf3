//! [`RequestError`]: why a request has no answer.

use std::{error::Error, fmt, time::Duration};

/// Why a request has no answer.
#[derive(Debug)]
#[non_exhaustive]
pub enum RequestError {
    /// There was none in this time.
    TimedOut(Duration),
    /// It was answered with this error.
    Failed(Box<dyn Error + Send + Sync>),
    /// The requests were closed.
    Closed,
    /// A request with this key is pending already.
    Duplicate,
    /// So many requests are pending, which is the limit.
    LimitReached(usize),
    /// The request has ended before: by its answer, or by a wait that timed out.
    Over,
}

impl fmt::Display for RequestError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::TimedOut(within) => write!(f, "the request was not answered within {within:?}"),
            Self::Failed(error) => error.fmt(f),
            Self::Closed => f.write_str("the requests are closed"),
            Self::Duplicate => {
                f.write_str("a request with this key is pending already: give each request a key of its own")
            }
            Self::LimitReached(limit) => write!(f, "{limit} requests are pending, and that is the limit"),
            Self::Over => f.write_str("the request has ended before"),
        }
    }
}

impl Error for RequestError {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        match self {
            Self::Failed(error) => error.source(),
            _ => None,
        }
    }
}
