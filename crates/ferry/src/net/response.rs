//! [`Response`]: an answer, and [`Chunks`], its body as it comes.

use super::address::without_userinfo;
use super::{
    Bytes,
    error::{FetchError, FetchErrorKind},
    headers::Headers,
    platform::Incoming,
};
use crate::time::{ClockHold, Instant, Sleep, hold_clock, sleep_until};
use futures_core::Stream;
use std::{
    fmt,
    future::{Future, poll_fn},
    pin::Pin,
    task::{Context, Poll},
    time::Duration,
};

/// An answer whose headers are there. Its body comes as it's read: what is not read waits on the wire, and dropping the
/// answer ends the transfer.
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
/// #     client.write_all(b"HTTP/1.1 404 Not Found\r\nContent-Length: 8\r\n\r\nnot here").unwrap();
/// # });
/// AsyncRuntime::block_on(async {
///     let response = net::fetch(&url).await.unwrap();
///     assert_eq!((response.status(), response.ok(), response.url()), (404, false, &*url));
///     assert_eq!(response.bytes().await.unwrap(), "not here");
/// });
/// # server.join().unwrap();
/// ```
pub struct Response {
    head: Head,
    limit: u64,
    chunks: Chunks,
}

/// What comes before a body.
#[derive(Debug)]
pub(super) struct Head {
    pub(super) status: u16,
    pub(super) headers: Headers,
    /// Of the last of its redirects.
    pub(super) url: String,
    /// The bytes of the body, where they are known to be so many.
    pub(super) length: Option<u64>,
}

impl Response {
    pub(super) fn new(head: Head, body: Incoming, limit: u64, end: Option<(Instant, Duration)>) -> Self {
        let url = without_userinfo(&head.url);
        let head = Head { url: url.clone(), ..head };
        let end = end.map(|(moment, after)| (sleep_until(moment), after));
        Self { head, limit, chunks: Chunks { body: Some(body), url, end, hold: None } }
    }

    /// The status, such as 200.
    pub fn status(&self) -> u16 {
        self.head.status
    }

    /// Whether the status is one of success: 200 to 299.
    pub fn ok(&self) -> bool {
        (200..300).contains(&self.head.status)
    }

    /// The headers.
    pub fn headers(&self) -> &Headers {
        &self.head.headers
    }

    /// Where the answer comes from: the URL that was asked for, or the last of its redirects, without a fragment.
    pub fn url(&self) -> &str {
        &self.head.url
    }

    /// The whole body.
    ///
    /// # Errors
    /// [`FetchErrorKind::TooLarge`] as soon as it's known that it has more bytes than [`Request::limit`] allows; else
    /// as [`Chunks`].
    ///
    /// # Cancel safety
    /// Dropping it ends the transfer.
    ///
    /// [`Request::limit`]: crate::net::Request::limit
    pub async fn bytes(mut self) -> Result<Bytes, FetchError> {
        let (limit, url) = (self.limit, &self.head.url);
        let too_large = || FetchError::new(FetchErrorKind::TooLarge(limit), url, "");
        if self.head.length.is_some_and(|length| length > limit) {
            return Err(too_large());
        }
        let Some(first) = self.chunks.next().await.transpose()? else { return Ok(Bytes::new()) };
        let mut whole = Vec::new();
        let mut last = first;
        loop {
            if (whole.len() + last.len()) as u64 > limit {
                return Err(too_large());
            }
            match self.chunks.next().await.transpose()? {
                // A body of one chunk is not copied.
                None if whole.is_empty() => return Ok(last),
                next => {
                    whole.extend_from_slice(&last);
                    let Some(next) = next else { return Ok(whole.into()) };
                    last = next;
                }
            }
        }
    }

    /// The whole body as text, which is UTF-8, as in the Fetch standard: a mark of the byte order at its begin is left
    /// out, and what is no UTF-8 becomes `U+FFFD`.
    ///
    /// # Errors
    /// As [`bytes`](Self::bytes).
    ///
    /// # Cancel safety
    /// Dropping it ends the transfer.
    pub async fn text(self) -> Result<String, FetchError> {
        let bytes = self.bytes().await?;
        let text = bytes.strip_prefix(b"\xEF\xBB\xBF").unwrap_or(&bytes);
        Ok(String::from_utf8_lossy(text).into_owned())
    }

    /// The body as it comes, of any length: [`Request::limit`](crate::net::Request::limit) is not for this.
    pub fn chunks(self) -> Chunks {
        self.chunks
    }
}

impl fmt::Debug for Response {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Head { status, headers, url, length: _ } = &self.head;
        f.debug_struct("Response")
            .field("status", status)
            .field("url", url)
            .field("headers", headers)
            .finish_non_exhaustive()
    }
}

/// The body of a [`Response`], as a stream of what comes. While nobody asks for more, the server waits, once what lies
/// between is full. After an error comes `None`.
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
///     let mut chunks = net::fetch(&url).await?.chunks();
///     let mut size = 0;
///     while let Some(chunk) = chunks.next().await {
///         size += chunk?.len();
///     }
///     assert_eq!(size, 5);
///     Ok::<_, net::FetchError>(())
/// })
/// .unwrap();
/// # server.join().unwrap();
/// ```
///
/// # Errors
/// [`FetchErrorKind::Broken`] when the connection breaks before the body's end, [`FetchErrorKind::Timeout`] when the
/// request's time is up.
///
/// # Cancel safety
/// Dropping it ends the transfer. A `next` that is dropped half-way has taken nothing.
pub struct Chunks {
    /// None once it has ended.
    body: Option<Incoming>,
    url: String,
    end: Option<(Sleep, Duration)>,
    /// While it's awaited.
    hold: Option<ClockHold>,
}

impl Chunks {
    /// What comes next; `None` at the end.
    ///
    /// # Errors
    /// As told at [`Chunks`].
    ///
    /// # Cancel safety
    /// Dropping it half-way takes nothing.
    pub async fn next(&mut self) -> Option<Result<Bytes, FetchError>> {
        let awaited = Awaited(self);
        poll_fn(|cx| awaited.0.poll(cx)).await
    }

    fn poll(&mut self, cx: &mut Context<'_>) -> Poll<Option<Result<Bytes, FetchError>>> {
        let Some(body) = &mut self.body else { return Poll::Ready(None) };
        // The time is looked at first, as a server that sends on and on never makes anyone wait.
        let time_is_up = self.end.as_mut().is_some_and(|(sleep, _)| Pin::new(sleep).poll(cx).is_ready());
        let next = match &self.end {
            Some((_, after)) if time_is_up => {
                Some(Err(FetchError::new(FetchErrorKind::Timeout(*after), &self.url, "")))
            }
            _ => match body.poll_chunk(&self.url, cx) {
                Poll::Ready(next) => next,
                Poll::Pending => {
                    self.hold.get_or_insert_with(hold_clock);
                    return Poll::Pending;
                }
            },
        };
        self.hold = None;
        if !matches!(next, Some(Ok(_))) {
            (self.body, self.end) = (None, None);
        }
        Poll::Ready(next)
    }
}

/// Chunks of which the next is awaited: when nobody does any more, the clock runs on.
struct Awaited<'a>(&'a mut Chunks);

impl Drop for Awaited<'_> {
    fn drop(&mut self) {
        self.0.hold = None;
    }
}

impl Stream for Chunks {
    type Item = Result<Bytes, FetchError>;

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        self.poll(cx)
    }
}

impl fmt::Debug for Chunks {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Chunks").field("url", &self.url).field("ended", &self.body.is_none()).finish()
    }
}
