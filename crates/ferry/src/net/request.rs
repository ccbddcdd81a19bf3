//! [`fetch`] and [`Request`]: what is asked for, and how.

use super::address::without_userinfo;
use super::{
    Bytes,
    error::{FetchError, FetchErrorKind},
    headers::Headers,
    platform,
    response::Response,
};
use crate::time::{Instant, hold_clock, timeout_at};
use futures_core::Stream;
use std::{error::Error, fmt, future::Future, pin::Pin, time::Duration};

/// The most bytes of a body that [`Response::bytes`] and [`Response::text`] take, unless [`Request::limit`] sets it.
const DEFAULT_LIMIT: u64 = 64 << 20;

/// Asks for `url` with `GET`, and gives the answer once its headers are there. Redirects are followed as browsers do.
/// [`Request`] can do more.
///
/// ```
/// use asyncferry::{AsyncRuntime, net};
///
/// # use std::{io::{Read, Write}, net::TcpListener};
/// # let listener = TcpListener::bind("127.0.0.1:0").unwrap();
/// # let url = format!("http://{}/", listener.local_addr().unwrap());
/// # let server = std::thread::spawn(move || {
/// #     let (mut client, _) = listener.accept().unwrap();
/// #     let _ = client.read(&mut [0; 4096]);
/// #     client.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello").unwrap();
/// # });
/// AsyncRuntime::block_on(async {
///     let response = net::fetch(&url).await?;
///     assert!(response.ok());
///     assert_eq!(response.text().await?, "hello");
///     Ok::<_, net::FetchError>(())
/// })
/// .unwrap();
/// # server.join().unwrap();
/// ```
///
/// # Errors
/// [`FetchError`], whose kinds tell what went wrong. A status such as 404 is an answer like any other.
///
/// # Cancel safety
/// Dropping it ends the transfer: the server sees the connection close (of HTTP/2, the stream).
pub fn fetch(url: &str) -> impl Future<Output = Result<Response, FetchError>> + use<> {
    Request::get(url).send()
}

/// A request to be sent.
///
/// ```
/// use asyncferry::{AsyncRuntime, net::Request};
/// use std::time::Duration;
///
/// # use std::{io::{Read, Write}, net::TcpListener};
/// # let listener = TcpListener::bind("127.0.0.1:0").unwrap();
/// # let url = format!("http://{}/", listener.local_addr().unwrap());
/// # let server = std::thread::spawn(move || {
/// #     let (mut client, _) = listener.accept().unwrap();
/// #     let _ = client.read(&mut [0; 4096]);
/// #     client.write_all(b"HTTP/1.1 201 Created\r\nContent-Length: 0\r\n\r\n").unwrap();
/// # });
/// let created = AsyncRuntime::block_on(async {
///     Request::post(&url)
///         .header("content-type", "application/json")
///         .body(r#"{"name": "ferry"}"#)
///         .timeout(Duration::from_secs(30))
///         .send()
///         .await
/// });
/// assert_eq!(created.unwrap().status(), 201);
/// # server.join().unwrap();
/// ```
#[allow(dead_code, reason = "where there is no HTTP, nobody looks at it")]
#[must_use = "a request goes nowhere before `send`"]
pub struct Request {
    pub(super) method: String,
    pub(super) url: String,
    pub(super) headers: Headers,
    pub(super) body: Body,
    timeout: Option<Duration>,
    limit: u64,
}

/// Without what belongs in no log: a password in the URL, and the values of headers that let somebody in.
impl fmt::Debug for Request {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Request")
            .field("method", &self.method)
            .field("url", &without_userinfo(&self.url))
            .field("headers", &self.headers)
            .finish_non_exhaustive()
    }
}

/// What a request sends.
#[allow(dead_code, reason = "not every platform can send each")]
pub(super) enum Body {
    Empty,
    Bytes(Bytes),
    Stream(Upload),
}

/// A body that streams out.
pub(super) type Upload = Pin<Box<dyn Stream<Item = Result<Bytes, Box<dyn Error + Send + Sync>>> + Send>>;

impl Request {
    /// A request with `method`, as `PUT`.
    pub fn new(method: &str, url: &str) -> Self {
        Self {
            method: method.to_owned(),
            url: url.to_owned(),
            headers: Headers::default(),
            body: Body::Empty,
            timeout: None,
            limit: DEFAULT_LIMIT,
        }
    }

    /// A `GET` of `url`.
    pub fn get(url: &str) -> Self {
        Self::new("GET", url)
    }

    /// A `POST` to `url`.
    pub fn post(url: &str) -> Self {
        Self::new("POST", url)
    }

    /// Adds a header. A value is text in Latin-1. In the browser some names are its own, and are left out.
    pub fn header(mut self, name: &str, value: &str) -> Self {
        self.headers.push(name, value);
        self
    }

    /// Sends these bytes.
    pub fn body(mut self, body: impl Into<Bytes>) -> Self {
        self.body = Body::Bytes(body.into());
        self
    }

    /// Sends this text, and says so in the header `content-type`, unless that was set.
    pub fn text(mut self, text: impl Into<String>) -> Self {
        if self.headers.get("content-type").is_none() {
            self.headers.push("content-type", "text/plain;charset=UTF-8");
        }
        self.body(text.into())
    }

    /// Sends what `stream` gives, as fast as the server takes it. An error of the stream ends the transfer. A redirect
    /// that asks for the body again is then the answer. In the browser it's not supported.
    ///
    /// ```
    /// use asyncferry::{AsyncRuntime, net::{Bytes, Request}};
    /// use futures_lite::stream;
    ///
    /// # use std::{io::{Read, Write}, net::TcpListener};
    /// # let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    /// # let url = format!("http://{}/", listener.local_addr().unwrap());
    /// # let server = std::thread::spawn(move || {
    /// #     let (mut client, _) = listener.accept().unwrap();
    /// #     let mut seen = Vec::new();
    /// #     while !seen.ends_with(b"0\r\n\r\n") {
    /// #         let mut bytes = [0; 4096];
    /// #         let count = client.read(&mut bytes).unwrap();
    /// #         seen.extend(&bytes[..count]);
    /// #     }
    /// #     client.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n").unwrap();
    /// # });
    /// let lines = stream::iter(["one\n", "two\n"]).map(|line| Ok::<_, std::io::Error>(Bytes::from(line)));
    /// # use futures_lite::StreamExt;
    /// let sent = AsyncRuntime::block_on(Request::post(&url).body_stream(lines).send());
    /// assert!(sent.unwrap().ok());
    /// # server.join().unwrap();
    /// ```
    pub fn body_stream<S, E>(mut self, stream: S) -> Self
    where
        S: Stream<Item = Result<Bytes, E>> + Send + 'static,
        E: Into<Box<dyn Error + Send + Sync>>,
    {
        self.body = Body::Stream(Box::pin(BoxErrors { stream: Box::pin(stream) }));
        self
    }

    /// How long the whole transfer may take, its body included. Without it, as long as it takes.
    /// [`timeout`](crate::timeout) limits parts of it.
    pub fn timeout(mut self, after: Duration) -> Self {
        self.timeout = Some(after);
        self
    }

    /// How many bytes of a body [`Response::bytes`] and [`Response::text`] take, once it's decompressed; 64 MiB if it's
    /// not set.
    pub fn limit(mut self, bytes: u64) -> Self {
        self.limit = bytes;
        self
    }

    /// Sends it, and gives the answer once its headers are there.
    ///
    /// # Errors
    /// As [`fetch`].
    ///
    /// # Cancel safety
    /// As [`fetch`].
    pub async fn send(self) -> Result<Response, FetchError> {
        let Self { timeout, limit, .. } = self;
        let end = timeout.map(|after| (Instant::now() + after, after));
        let url = self.url.clone();
        let too_late = |after| FetchError::new(FetchErrorKind::Timeout(after), &url, "");
        if let Some(after) = timeout.filter(Duration::is_zero) {
            return Err(too_late(after));
        }
        let hold = hold_clock();
        let sent = timeout_at(end.map(|(moment, _)| moment), platform::send(self)).await;
        drop(hold);
        let (head, body) = sent.map_err(|_| too_late(timeout.unwrap_or(Duration::MAX)))??;
        Ok(Response::new(head, body, limit, end))
    }
}

impl fmt::Debug for Body {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Empty => f.write_str("Empty"),
            Self::Bytes(bytes) => write!(f, "Bytes({})", bytes.len()),
            Self::Stream(_) => f.write_str("Stream"),
        }
    }
}

/// A stream of a user's, with its errors in boxes.
struct BoxErrors<S> {
    stream: Pin<Box<S>>,
}

impl<S, E> Stream for BoxErrors<S>
where
    S: Stream<Item = Result<Bytes, E>>,
    E: Into<Box<dyn Error + Send + Sync>>,
{
    type Item = Result<Bytes, Box<dyn Error + Send + Sync>>;

    fn poll_next(
        mut self: Pin<&mut Self>,
        cx: &mut std::task::Context<'_>,
    ) -> std::task::Poll<Option<Self::Item>> {
        self.stream.as_mut().poll_next(cx).map(|next| next.map(|chunk| chunk.map_err(Into::into)))
    }
}
