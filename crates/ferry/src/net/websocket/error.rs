//! [`WebSocketError`]: what a WebSocket fails with.

use crate::{error::AsyncError, net::address::without_userinfo};
use std::{error::Error, fmt};

/// Why a [`WebSocket`](crate::net::WebSocket) could not be opened, or broke. Its text is a sentence with the URL, without
/// a password in it, and what to do.
///
/// ```
/// use asyncferry::{AsyncRuntime, net::{WebSocket, WebSocketErrorKind}};
///
/// let error = AsyncRuntime::block_on(WebSocket::connect("http://localhost/", &[])).unwrap_err();
/// assert_eq!(error.kind(), &WebSocketErrorKind::BadRequest);
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WebSocketError {
    kind: WebSocketErrorKind,
    url: Box<str>,
    why: Box<str>,
}

/// What kind of failure a [`WebSocketError`] is.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum WebSocketErrorKind {
    /// The URL, a subprotocol, or what was given to `close` is not allowed.
    BadRequest,
    /// There is no connection. The browser doesn't tell this apart from [`Tls`](Self::Tls) and
    /// [`Refused`](Self::Refused).
    Unreachable,
    /// There is no secure connection, as the server's certificate is not trusted, say.
    Tls,
    /// The server answers, but opens no WebSocket, or none with a subprotocol that was asked for.
    Refused,
    /// A message has more bytes than [`max_message`](crate::net::WebSocketOptions::max_message), which this holds. The
    /// connection is closed with code 1009; in the browser, which allows no such code, with 4009.
    TooLarge(usize),
    /// More came than [`buffer`](crate::net::WebSocketOptions::buffer), which this holds, has room for, where the
    /// server can't be made to wait: in the browser. The connection is closed with code 4009.
    Overrun(usize),
    /// It's closed, so nothing can be sent.
    Closed,
    /// The connection broke without being closed, or what came over it makes no sense.
    Broken,
    /// The runtime can't do it: on this platform ([`AsyncError::PlatformNotSupported`]), or as it gets no threads.
    Runtime(AsyncError),
}

impl WebSocketError {
    pub(in crate::net) fn new(kind: WebSocketErrorKind, url: &str, why: impl Into<String>) -> Self {
        Self { kind, url: without_userinfo(url).into(), why: why.into().into() }
    }

    #[allow(dead_code, reason = "not every platform lacks something")]
    pub(in crate::net) fn not_supported(url: &str, why: &str) -> Self {
        Self::new(WebSocketErrorKind::Runtime(AsyncError::PlatformNotSupported(why.to_owned())), url, "")
    }

    /// What kind of failure it is.
    pub fn kind(&self) -> &WebSocketErrorKind {
        &self.kind
    }

    /// The URL of the WebSocket, without a user name and password in it.
    pub fn url(&self) -> &str {
        &self.url
    }
}

impl fmt::Display for WebSocketError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { kind, url, why } = self;
        match kind {
            WebSocketErrorKind::BadRequest => write!(f, "the WebSocket to `{url}` can't do this: {why}"),
            WebSocketErrorKind::Unreachable => {
                write!(
                    f,
                    "there is no connection to {url}: {why}; is the address right, and does the server run?"
                )
            }
            WebSocketErrorKind::Tls => write!(
                f,
                "there is no secure connection to {url}: {why}; check the server's certificate, and those that this \
                 machine trusts"
            ),
            WebSocketErrorKind::Refused => {
                write!(f, "{url} opens no WebSocket: {why}; check the path and the subprotocols")
            }
            WebSocketErrorKind::TooLarge(limit) => write!(
                f,
                "a message from {url} has more than {limit} bytes; allow more with `WebSocketOptions::max_message`"
            ),
            WebSocketErrorKind::Overrun(bound) => write!(
                f,
                "more came from {url} than was received, beyond the {bound} bytes that are kept; receive faster, or \
                 keep more with `WebSocketOptions::buffer`"
            ),
            WebSocketErrorKind::Closed => {
                write!(f, "the WebSocket to {url} is closed, so nothing can be sent; connect again")
            }
            WebSocketErrorKind::Broken => write!(f, "the WebSocket to {url} broke: {why}; connect again"),
            WebSocketErrorKind::Runtime(error) => write!(f, "there is no WebSocket to {url}: {error}"),
        }
    }
}

impl Error for WebSocketError {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        match &self.kind {
            WebSocketErrorKind::Runtime(error) => Some(error),
            _ => None,
        }
    }
}

/// What the runtime can't do stays that; any other is its text.
impl From<WebSocketError> for AsyncError {
    fn from(error: WebSocketError) -> Self {
        match error.kind {
            WebSocketErrorKind::Runtime(error) => error,
            _ => Self::Other(error.to_string()),
        }
    }
}

#[cfg(all(test, not(ferry_loom)))]
mod tests {
    use super::*;

    #[test]
    fn each_error_is_a_sentence_without_the_password() {
        let cases = [
            (
                WebSocketErrorKind::Refused,
                "ws://h/ opens no WebSocket: why; check the path and the subprotocols",
            ),
            (
                WebSocketErrorKind::Closed,
                "the WebSocket to ws://h/ is closed, so nothing can be sent; connect again",
            ),
            (WebSocketErrorKind::Broken, "the WebSocket to ws://h/ broke: why; connect again"),
        ];
        for (kind, expected) in cases {
            assert_eq!(WebSocketError::new(kind, "ws://me:secret@h/", "why").to_string(), expected);
        }
    }

    #[test]
    fn what_a_platform_lacks_stays_that() {
        let error = WebSocketError::not_supported("ws://h/", "there is none");
        assert_eq!(AsyncError::from(error), AsyncError::PlatformNotSupported("there is none".to_owned()));
    }
}
