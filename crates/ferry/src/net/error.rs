//! [`FetchError`]: what a transfer fails with.

use super::address::without_userinfo;
use crate::error::AsyncError;
use std::{error::Error, fmt, time::Duration};

/// Why a [`fetch`](crate::net::fetch) failed. Its text is a sentence with the URL, without a password in it, and what to
/// do. An answer with a status such as 404 is no error; see [`Response::ok`](crate::net::Response::ok).
///
/// ```
/// use asyncferry::{AsyncRuntime, net::{self, FetchErrorKind}};
///
/// let error = AsyncRuntime::block_on(net::fetch("no url")).unwrap_err();
/// assert_eq!(error.kind(), &FetchErrorKind::BadRequest);
/// assert!(error.to_string().contains("no url"));
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FetchError {
    kind: FetchErrorKind,
    url: Box<str>,
    why: Box<str>,
}

/// What kind of failure a [`FetchError`] is.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum FetchErrorKind {
    /// The URL, the method or a header is none.
    BadRequest,
    /// There is no connection: the name is unknown, the server refuses, or it can't be reached. The browser doesn't tell
    /// this apart from [`Tls`](Self::Tls), [`Redirects`](Self::Redirects), or an answer that breaks off before its body.
    Unreachable,
    /// There is no secure connection, as the server's certificate is not trusted, say.
    Tls,
    /// The server redirects on and on: more than 20 times, as browsers count.
    Redirects,
    /// The time of [`Request::timeout`](crate::net::Request::timeout), which this holds, ran out.
    Timeout(Duration),
    /// The body has more bytes than [`Request::limit`](crate::net::Request::limit) allows, which this holds.
    TooLarge(u64),
    /// The connection broke, or what came over it is no HTTP.
    Broken,
    /// The runtime can't do it: on this platform ([`AsyncError::PlatformNotSupported`]), or as it gets no threads.
    Runtime(AsyncError),
}

impl FetchError {
    pub(super) fn new(kind: FetchErrorKind, url: &str, why: impl Into<String>) -> Self {
        Self { kind, url: without_userinfo(url).into(), why: why.into().into() }
    }

    #[allow(dead_code, reason = "not every platform lacks something")]
    pub(super) fn not_supported(url: &str, why: &str) -> Self {
        Self::new(FetchErrorKind::Runtime(AsyncError::PlatformNotSupported(why.to_owned())), url, "")
    }

    /// What kind of failure it is.
    pub fn kind(&self) -> &FetchErrorKind {
        &self.kind
    }

    /// The URL that was asked for, without a user name and password in it.
    pub fn url(&self) -> &str {
        &self.url
    }
}

impl fmt::Display for FetchError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { kind, url, why } = self;
        match kind {
            FetchErrorKind::BadRequest => write!(f, "`{url}` can't be fetched: {why}"),
            FetchErrorKind::Unreachable => {
                write!(
                    f,
                    "there is no connection to {url}: {why}; is the address right, and does the server run?"
                )
            }
            FetchErrorKind::Tls => write!(
                f,
                "there is no secure connection to {url}: {why}; check the server's certificate, and those that this \
                 machine trusts"
            ),
            FetchErrorKind::Redirects => {
                write!(f, "{url} redirects more than 20 times; ask for the address that it should lead to")
            }
            FetchErrorKind::Timeout(after) => write!(
                f,
                "the transfer from {url} took longer than {after:?}; try again, or allow more with `Request::timeout`"
            ),
            FetchErrorKind::TooLarge(limit) => write!(
                f,
                "the body of {url} has more than {limit} bytes; read it in `chunks`, or allow more with \
                 `Request::limit`"
            ),
            FetchErrorKind::Broken => {
                write!(
                    f,
                    "the transfer from {url} broke off: {why}; try again, or look into the server's log"
                )
            }
            FetchErrorKind::Runtime(error) => write!(f, "{url} can't be fetched: {error}"),
        }
    }
}

impl Error for FetchError {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        match &self.kind {
            FetchErrorKind::Runtime(error) => Some(error),
            _ => None,
        }
    }
}

/// A timeout stays one, and so does what the runtime can't do; any other is its text.
impl From<FetchError> for AsyncError {
    fn from(error: FetchError) -> Self {
        match error.kind {
            FetchErrorKind::Timeout(after) => Self::Timeout(after),
            FetchErrorKind::Runtime(error) => error,
            _ => Self::Other(error.to_string()),
        }
    }
}

#[cfg(all(test, not(ferry_loom)))]
mod tests {
    use super::*;

    #[test]
    fn each_error_is_a_sentence_without_the_password() {
        let not_supported = AsyncError::PlatformNotSupported("there is no network".to_owned());
        let second = Duration::from_secs(1);
        let cases = [
            (FetchErrorKind::BadRequest, "`http://h/` can't be fetched: why"),
            (
                FetchErrorKind::Unreachable,
                "there is no connection to http://h/: why; is the address right, and does the server run?",
            ),
            (
                FetchErrorKind::Timeout(second),
                "the transfer from http://h/ took longer than 1s; try again, or allow more with `Request::timeout`",
            ),
            (
                FetchErrorKind::TooLarge(5),
                "the body of http://h/ has more than 5 bytes; read it in `chunks`, or allow more with `Request::limit`",
            ),
            (
                FetchErrorKind::Runtime(not_supported),
                "http://h/ can't be fetched: not supported on this platform: there is no network",
            ),
        ];
        for (kind, expected) in cases {
            assert_eq!(FetchError::new(kind, "http://me:secret@h/", "why").to_string(), expected);
        }
    }

    #[test]
    fn the_runtimes_errors_stay_what_they_are() {
        let error = FetchError::not_supported("http://h/", "there is no network");
        let inner = AsyncError::PlatformNotSupported("there is no network".to_owned());
        assert_eq!(error.source().and_then(|source| source.downcast_ref()), Some(&inner));
        assert_eq!(AsyncError::from(error), inner);
        let second = Duration::from_secs(1);
        let timeout = FetchError::new(FetchErrorKind::Timeout(second), "http://h/", "");
        assert_eq!(AsyncError::from(timeout), AsyncError::Timeout(second));
        let broken = FetchError::new(FetchErrorKind::Broken, "http://h/", "end of file");
        assert_eq!(AsyncError::from(broken.clone()), AsyncError::Other(broken.to_string()));
    }
}
