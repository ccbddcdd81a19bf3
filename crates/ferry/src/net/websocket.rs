//! [`WebSocket`]: messages both ways over one connection.

mod error;
mod inbox;

pub use error::{WebSocketError, WebSocketErrorKind};
pub(super) use inbox::Inbox;

use super::{
    Bytes,
    address::has_scheme,
    platform::{self, Link},
};
use crate::time::{ClockHold, hold_clock};
use futures_core::Stream;
use std::{
    fmt,
    future::poll_fn,
    pin::Pin,
    sync::Arc,
    task::{Context, Poll},
};

/// A message of a WebSocket.
///
/// ```
/// use asyncferry::net::Message;
///
/// assert_eq!(Message::from("hello"), Message::Text("hello".to_owned()));
/// assert_eq!(Message::from(vec![1, 2]).len(), 2);
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Message {
    /// Text.
    Text(String),
    /// Bytes.
    Binary(Bytes),
}

impl Message {
    /// How many bytes it has.
    pub fn len(&self) -> usize {
        match self {
            Self::Text(text) => text.len(),
            Self::Binary(bytes) => bytes.len(),
        }
    }

    /// Whether it has none.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }
}

impl From<&str> for Message {
    fn from(text: &str) -> Self {
        Self::Text(text.to_owned())
    }
}

impl From<String> for Message {
    fn from(text: String) -> Self {
        Self::Text(text)
    }
}

impl From<Vec<u8>> for Message {
    fn from(bytes: Vec<u8>) -> Self {
        Self::Binary(bytes.into())
    }
}

impl From<Bytes> for Message {
    fn from(bytes: Bytes) -> Self {
        Self::Binary(bytes)
    }
}

/// How a WebSocket was closed, by [RFC 6455](https://www.rfc-editor.org/rfc/rfc6455#section-7.4).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CloseFrame {
    /// 1000 is a normal end; 1005 stands for none.
    pub code: u16,
    /// A text for people; often empty.
    pub reason: String,
}

/// The bounds of a WebSocket.
///
/// ```
/// use asyncferry::{AsyncRuntime, net::{WebSocket, WebSocketErrorKind, WebSocketOptions}};
///
/// # let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
/// # let url = format!("ws://{}/", listener.local_addr().unwrap());
/// # let server = std::thread::spawn(move || {
/// #     let stream = listener.accept().unwrap().0;
/// #     let mut echo = tokio_tungstenite::tungstenite::accept(stream).unwrap();
/// #     while let Ok(message) = echo.read() {
/// #         if message.is_text() { echo.send(message).unwrap(); }
/// #     }
/// # });
/// AsyncRuntime::block_on(async {
///     let options = WebSocketOptions { max_message: 10, ..WebSocketOptions::default() };
///     let mut socket = WebSocket::connect_with(&url, &[], options).await.unwrap();
///     socket.send("eleven byte").await.unwrap();
///     let error = socket.recv().await.unwrap().unwrap_err();
///     assert_eq!(error.kind(), &WebSocketErrorKind::TooLarge(10));
/// });
/// # server.join().unwrap();
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct WebSocketOptions {
    /// The most bytes of a message that comes; by default 16 MiB.
    pub max_message: usize,
    /// About how many bytes of messages are kept that were not received yet; by default 16 MiB, and always one message.
    /// Beyond that the server has to wait; in the browser, where that can't be, the WebSocket ends with an error.
    pub buffer: usize,
}

impl Default for WebSocketOptions {
    fn default() -> Self {
        Self { max_message: 16 << 20, buffer: 16 << 20 }
    }
}

/// A WebSocket that is open. Pings are answered by themselves, and dropping it closes it, with code 1000. While more waits
/// to be received than the [buffer](WebSocketOptions::buffer) holds, nothing is read, so neither pings nor a close of the
/// peer's are seen: whoever only sends should receive as well.
///
/// One task may use it whole; [`split`](Self::split) makes two halves for two.
///
/// ```
/// use asyncferry::{AsyncRuntime, net::{Message, WebSocket}};
///
/// # let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
/// # let url = format!("ws://{}/", listener.local_addr().unwrap());
/// # let server = std::thread::spawn(move || {
/// #     let stream = listener.accept().unwrap().0;
/// #     let mut echo = tokio_tungstenite::tungstenite::accept(stream).unwrap();
/// #     while let Ok(message) = echo.read() {
/// #         if message.is_text() { echo.send(message).unwrap(); }
/// #     }
/// # });
/// AsyncRuntime::block_on(async {
///     let mut socket = WebSocket::connect(&url, &[]).await?;
///     socket.send("hello").await?;
///     assert_eq!(socket.recv().await, Some(Ok(Message::from("hello"))));
///     socket.close(1000, "done").await?;
///     assert_eq!(socket.recv().await, None);
///     assert_eq!(socket.close_frame().map(|frame| frame.code), Some(1000));
///     Ok::<_, asyncferry::net::WebSocketError>(())
/// })
/// .unwrap();
/// # server.join().unwrap();
/// ```
#[derive(Debug)]
pub struct WebSocket {
    sender: WebSocketSender,
    receiver: WebSocketReceiver,
    protocol: Option<String>,
}

impl WebSocket {
    /// Opens a WebSocket to `url`, whose scheme is `ws` or `wss`. `protocols` are the subprotocols that will do, the best
    /// first; see [`protocol`](Self::protocol).
    ///
    /// # Errors
    /// [`WebSocketError`], whose kinds tell what went wrong.
    ///
    /// # Cancel safety
    /// Dropping it ends the connection.
    pub async fn connect(url: &str, protocols: &[&str]) -> Result<Self, WebSocketError> {
        Self::connect_with(url, protocols, WebSocketOptions::default()).await
    }

    /// [`connect`](Self::connect) with bounds of one's own.
    ///
    /// # Errors
    /// As [`connect`](Self::connect).
    ///
    /// # Cancel safety
    /// As [`connect`](Self::connect).
    pub async fn connect_with(
        url: &str,
        protocols: &[&str],
        options: WebSocketOptions,
    ) -> Result<Self, WebSocketError> {
        check_request(url, protocols)?;
        let inbox = Arc::new(Inbox::new(options.buffer));
        let hold = hold_clock();
        let (link, protocol) = platform::connect(url, protocols, options, inbox.clone()).await?;
        drop(hold);
        let sender = WebSocketSender { link: link.clone(), url: url.into() };
        Ok(Self { sender, receiver: WebSocketReceiver { inbox, hold: None, _link: link }, protocol })
    }

    /// The subprotocol that the server chose, if any.
    pub fn protocol(&self) -> Option<&str> {
        self.protocol.as_deref()
    }

    /// See [`WebSocketSender::send`].
    ///
    /// # Errors
    /// As told there.
    ///
    /// # Cancel safety
    /// As told there.
    pub async fn send(&self, message: impl Into<Message>) -> Result<(), WebSocketError> {
        self.sender.send(message).await
    }

    /// See [`WebSocketReceiver::recv`].
    ///
    /// # Errors
    /// As told there.
    ///
    /// # Cancel safety
    /// As told there.
    pub async fn recv(&mut self) -> Option<Result<Message, WebSocketError>> {
        self.receiver.recv().await
    }

    /// See [`WebSocketSender::close`].
    ///
    /// # Errors
    /// As told there.
    ///
    /// # Cancel safety
    /// As told there.
    pub async fn close(&self, code: u16, reason: &str) -> Result<(), WebSocketError> {
        self.sender.close(code, reason).await
    }

    /// See [`WebSocketReceiver::close_frame`].
    pub fn close_frame(&self) -> Option<CloseFrame> {
        self.receiver.close_frame()
    }

    /// Two halves, for a task that sends and one that receives. It's closed when both are dropped.
    ///
    /// ```
    /// use asyncferry::{AsyncRuntime, net::{Message, WebSocket}, spawn_local};
    ///
    /// # let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    /// # let url = format!("ws://{}/", listener.local_addr().unwrap());
    /// # let server = std::thread::spawn(move || {
    /// #     let stream = listener.accept().unwrap().0;
    /// #     let mut echo = tokio_tungstenite::tungstenite::accept(stream).unwrap();
    /// #     while let Ok(message) = echo.read() {
    /// #         if message.is_text() { echo.send(message).unwrap(); }
    /// #     }
    /// # });
    /// AsyncRuntime::block_on(async {
    ///     let (sender, mut receiver) = WebSocket::connect(&url, &[]).await.unwrap().split();
    ///     let sending = spawn_local(async move {
    ///         sender.send("one").await?;
    ///         sender.send("two").await?;
    ///         sender.close(1000, "").await
    ///     });
    ///     let mut seen = Vec::new();
    ///     while let Some(message) = receiver.recv().await {
    ///         seen.push(message.unwrap());
    ///     }
    ///     assert_eq!(seen, [Message::from("one"), Message::from("two")]);
    ///     assert_eq!(sending.await, Ok(Ok(())));
    /// });
    /// # server.join().unwrap();
    /// ```
    pub fn split(self) -> (WebSocketSender, WebSocketReceiver) {
        (self.sender, self.receiver)
    }
}

/// The half of a WebSocket that sends; see [`WebSocket::split`]. Clones send over the same one.
#[derive(Clone)]
pub struct WebSocketSender {
    link: Link,
    url: Arc<str>,
}

impl WebSocketSender {
    /// Sends `message`, and waits until the system has taken all of it: while the server doesn't read, this waits.
    /// Several may send at once; messages go one after the other, in the order of the calls.
    ///
    /// # Errors
    /// [`WebSocketErrorKind::Closed`] once it's closed by either side, or broken.
    ///
    /// # Cancel safety
    /// Dropping it half-way, the message is sent whole or not at all, and it isn't known which.
    pub async fn send(&self, message: impl Into<Message>) -> Result<(), WebSocketError> {
        let _hold = hold_clock();
        let sent = self.link.send(message.into()).await;
        sent.map_err(|()| WebSocketError::new(WebSocketErrorKind::Closed, &self.url, ""))
    }

    /// Asks the other side to close as well, with a code (1000, or one of one's own from 3000 to 4999) and a reason of
    /// at most 123 bytes. Nothing can be sent after that. What comes until the other side agrees can be received, and
    /// then `None`; but a browser drops what comes then. Natively, a server that doesn't agree in ten seconds is left.
    ///
    /// # Errors
    /// [`WebSocketErrorKind::BadRequest`] for another code or a longer reason; [`WebSocketErrorKind::Closed`] once it's
    /// closed.
    ///
    /// # Cancel safety
    /// As [`send`](Self::send).
    pub async fn close(&self, code: u16, reason: &str) -> Result<(), WebSocketError> {
        let bad = |why: &str| Err(WebSocketError::new(WebSocketErrorKind::BadRequest, &self.url, why));
        if code != 1000 && !(3000..5000).contains(&code) {
            return bad(&format!("{code} is no code to close with; use 1000, or one from 3000 to 4999"));
        }
        if reason.len() > MOST_REASON {
            return bad("the reason to close is longer than 123 bytes; shorten it");
        }
        let _hold = hold_clock();
        let closed = self.link.close(CloseFrame { code, reason: reason.to_owned() }).await;
        closed.map_err(|()| WebSocketError::new(WebSocketErrorKind::Closed, &self.url, ""))
    }
}

/// What fits beside the code in a control frame.
const MOST_REASON: usize = 123;

impl fmt::Debug for WebSocketSender {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("WebSocketSender").finish_non_exhaustive()
    }
}

/// The half of a WebSocket that receives; see [`WebSocket::split`]. It's a stream as well.
///
/// ```
/// use asyncferry::{AsyncRuntime, net::WebSocket, stream::StreamExt};
///
/// # let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
/// # let url = format!("ws://{}/", listener.local_addr().unwrap());
/// # let server = std::thread::spawn(move || {
/// #     let stream = listener.accept().unwrap().0;
/// #     let mut echo = tokio_tungstenite::tungstenite::accept(stream).unwrap();
/// #     while let Ok(message) = echo.read() {
/// #         if message.is_text() { echo.send(message).unwrap(); }
/// #     }
/// # });
/// AsyncRuntime::block_on(async {
///     let (sender, receiver) = WebSocket::connect(&url, &[]).await.unwrap().split();
///     for number in ["1", "2", "3"] {
///         sender.send(number).await.unwrap();
///     }
///     let lengths: Vec<_> = receiver.map(|message| message.unwrap().len()).take(3).collect().await;
///     assert_eq!(lengths, [1, 1, 1]);
/// });
/// # server.join().unwrap();
/// ```
pub struct WebSocketReceiver {
    inbox: Arc<Inbox>,
    /// While it's awaited.
    hold: Option<ClockHold>,
    /// It's open as long as either half is there.
    _link: Link,
}

impl WebSocketReceiver {
    /// The next message; `None` once it's closed by either side.
    ///
    /// # Errors
    /// The error that ended it, once.
    ///
    /// # Cancel safety
    /// Dropping it half-way takes nothing.
    pub async fn recv(&mut self) -> Option<Result<Message, WebSocketError>> {
        let awaited = Awaited(self);
        poll_fn(|cx| awaited.0.poll(cx)).await
    }

    /// How the other side closed it, or answered our close; `None` while it's open, and when it broke.
    pub fn close_frame(&self) -> Option<CloseFrame> {
        self.inbox.close_frame()
    }

    fn poll(&mut self, cx: &Context<'_>) -> Poll<Option<Result<Message, WebSocketError>>> {
        let polled = self.inbox.poll_next(cx);
        match &polled {
            Poll::Pending => {
                self.hold.get_or_insert_with(hold_clock);
            }
            Poll::Ready(_) => self.hold = None,
        }
        polled
    }
}

/// A receiver of which the next message is awaited: when nobody does any more, the clock runs on.
struct Awaited<'a>(&'a mut WebSocketReceiver);

impl Drop for Awaited<'_> {
    fn drop(&mut self) {
        self.0.hold = None;
    }
}

impl Stream for WebSocketReceiver {
    type Item = Result<Message, WebSocketError>;

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        self.poll(cx)
    }
}

impl Drop for WebSocketReceiver {
    fn drop(&mut self) {
        self.inbox.ignore();
    }
}

impl fmt::Debug for WebSocketReceiver {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("WebSocketReceiver").field("close_frame", &self.close_frame()).finish_non_exhaustive()
    }
}

/// What every platform refuses.
fn check_request(url: &str, protocols: &[&str]) -> Result<(), WebSocketError> {
    let bad = |why: &str| Err(WebSocketError::new(WebSocketErrorKind::BadRequest, url, why));
    if !has_scheme(url, &["ws", "wss"]) {
        return bad("its scheme is none of ws and wss; write the whole URL, as wss://example.org/");
    }
    let is_token = |name: &&str| {
        !name.is_empty()
            && name.bytes().all(|byte| byte.is_ascii_graphic() && !b"\"(),/:;<=>?@[\\]{}".contains(&byte))
    };
    match protocols.iter().find(|name| !is_token(name)) {
        Some(name) => bad(&format!("`{name}` is no subprotocol; use letters, digits, dots and dashes")),
        None => Ok(()),
    }
}
