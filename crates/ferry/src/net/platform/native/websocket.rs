//! WebSockets, on tungstenite: a task of the pool drives each.
//!
//! ```text
//!   link (both halves) ──Order, one at a time──▶ ┌────────┐ ──▶ socket
//!                        ◀──when it's written──  │ driver │
//!   inbox ◀──while there's room────────────────  └────────┘ ◀── socket
//!
//!   Open ──both halves gone: sends 1000──▶ Closing ──the peer closes, or 10 s──▶ ended
//!     │  └─an order to close─────────────────▲
//!     ├──the peer closes──▶ its frame is answered ──▶ ended
//!     └──what comes is no message that's allowed──▶ sends 1009, 1007 or 1002 ──▶ ended
//! ```

use super::{OnPool, client::client, is_tls, root};
use crate::promise::{Future, Promise, promise};

use crate::net::websocket::{
    CloseFrame, Inbox, Message, WebSocketError, WebSocketErrorKind, WebSocketOptions,
};
use futures_util::{
    SinkExt, StreamExt,
    future::{Either, select},
    stream::{SplitSink, SplitStream},
};
use std::{future::poll_fn, pin::pin, sync::Arc, time::Duration};
use tokio::{
    io::{copy, sink},
    net::TcpStream,
    sync::{mpsc, oneshot},
    time::{sleep, timeout},
};
use tokio_tungstenite::{
    Connector, MaybeTlsStream, WebSocketStream, connect_async_tls_with_config,
    tungstenite::{
        self, ClientRequestBuilder,
        error::CapacityError,
        http::Uri,
        protocol::{
            WebSocketConfig,
            frame::{self, coding::CloseCode},
        },
    },
};

/// How long the peer has to answer a close.
const CLOSING: Duration = Duration::from_secs(10);

type Socket = WebSocketStream<MaybeTlsStream<TcpStream>>;
type Outgoing = SplitSink<Socket, tungstenite::Message>;
type Incoming = SplitStream<Socket>;

/// The way to the driver. When the last clone of it goes, the WebSocket is closed.
#[derive(Clone)]
pub(in crate::net) struct Link {
    orders: mpsc::Sender<Order>,
    /// Cancelled with the last clone, which the driver hears of even while it can't write.
    _there: Arc<Promise<()>>,
}

/// Something to send, and whom to tell when it's written.
struct Order {
    message: tungstenite::Message,
    written: oneshot::Sender<()>,
}

impl Link {
    /// Sends `message`; an error when it's closed.
    pub(in crate::net) async fn send(&self, message: Message) -> Result<(), ()> {
        self.order(match message {
            Message::Text(text) => tungstenite::Message::Text(text.into()),
            Message::Binary(bytes) => tungstenite::Message::Binary(bytes),
        })
        .await
    }

    /// Sends the frame that asks to close; an error when it's closed.
    pub(in crate::net) async fn close(&self, frame: CloseFrame) -> Result<(), ()> {
        let CloseFrame { code, reason } = frame;
        self.order(close(code.into(), &reason)).await
    }

    async fn order(&self, message: tungstenite::Message) -> Result<(), ()> {
        let (written, done) = oneshot::channel();
        self.orders.send(Order { message, written }).await.map_err(drop)?;
        done.await.map_err(drop)
    }
}

/// Opens a WebSocket to `url`, whose messages go to `inbox`; with it comes the subprotocol that the server chose.
pub(in crate::net) async fn connect(
    url: &str,
    protocols: &[&str],
    options: WebSocketOptions,
    inbox: Arc<Inbox>,
) -> Result<(Link, Option<String>), WebSocketError> {
    let failed = |kind, why: String| WebSocketError::new(kind, url, why);
    let client = client().await.map_err(|error| failed(WebSocketErrorKind::Runtime(error), String::new()))?;
    let address = url.parse::<Uri>().map_err(|error| {
        failed(WebSocketErrorKind::BadRequest, format!("it's no URL ({error}); correct it"))
    })?;
    let connector = match &client.tls {
        Ok(trusted) => Connector::Rustls(trusted.clone()),
        Err(why) if address.scheme_str() == Some("wss") => {
            return Err(failed(WebSocketErrorKind::Tls, (**why).to_owned()));
        }
        Err(_) => Connector::Plain,
    };
    let request = protocols
        .iter()
        .fold(ClientRequestBuilder::new(address), |request, protocol| request.with_sub_protocol(*protocol));
    let bounds = WebSocketConfig::default()
        .max_message_size(Some(options.max_message))
        .max_frame_size(Some(options.max_message));
    let connecting = connect_async_tls_with_config(request, Some(bounds), true, Some(connector));
    let (socket, answer) =
        OnPool::new(client.pool, connecting).await.map_err(|error| explain(&error, url))?;
    let protocol = answer.headers().get("sec-websocket-protocol");
    let protocol = protocol.and_then(|value| value.to_str().ok()).map(str::to_owned);
    let (orders, ordered) = mpsc::channel(1);
    let (there, gone) = promise();
    let driver = Driver { url: url.to_owned(), inbox, max_message: options.max_message, gone };
    client.pool.spawn(driver.drive(socket, ordered));
    Ok((Link { orders, _there: Arc::new(there) }, protocol))
}

/// What `error` means to whoever wanted to open `url`.
fn explain(error: &tungstenite::Error, url: &str) -> WebSocketError {
    let why = root(error).to_string();
    let kind = match error {
        _ if is_tls(error) => WebSocketErrorKind::Tls,
        tungstenite::Error::Io(_) => WebSocketErrorKind::Unreachable,
        tungstenite::Error::Url(_) => WebSocketErrorKind::BadRequest,
        tungstenite::Error::Http(answer) => {
            let why = format!("it answers with status {}", answer.status());
            return WebSocketError::new(WebSocketErrorKind::Refused, url, why);
        }
        _ => WebSocketErrorKind::Refused,
    };
    WebSocketError::new(kind, url, why)
}

struct Driver {
    url: String,
    inbox: Arc<Inbox>,
    max_message: usize,
    /// Settled once the user has let go of it.
    gone: Future<()>,
}

impl Driver {
    async fn drive(self, socket: Socket, mut ordered: mpsc::Receiver<Order>) {
        let (mut outgoing, mut incoming) = socket.split();
        let last = {
            let reading = pin!(self.read(&mut incoming));
            let gone = self.gone.clone();
            // A peer that doesn't read holds up nobody who has gone.
            let left = pin!(async {
                let _ = gone.await;
                sleep(CLOSING).await;
            });
            let writing = pin!(write(&mut outgoing, &mut ordered));
            let writing = pin!(async {
                select(writing, left).await;
            });
            match select(reading, writing).await {
                Either::Left((last, _)) => last,
                Either::Right(((), reading)) => match timeout(CLOSING, reading).await {
                    Ok(last) => last,
                    Err(_) => {
                        let why = format!("the server didn't answer the close within {CLOSING:?}");
                        self.inbox.end(Err(self.broken(why)));
                        None
                    }
                },
            }
        };
        // From here on nothing can be sent, and who waits to send learns it.
        drop(ordered);
        // Where the connection is broken, or the peer doesn't listen, nobody hears of it.
        let _ = timeout(CLOSING, say_farewell(outgoing, incoming, last)).await;
    }

    /// Reads until the peer closes, or the connection breaks; gives what is to be sent then.
    async fn read(&self, incoming: &mut Incoming) -> Option<tungstenite::Message> {
        loop {
            poll_fn(|cx| self.inbox.poll_room(cx)).await;
            self.inbox.push(match incoming.next().await {
                Some(Ok(tungstenite::Message::Text(text))) => Message::Text(text.as_str().to_owned()),
                Some(Ok(tungstenite::Message::Binary(bytes))) => Message::Binary(bytes),
                Some(Ok(tungstenite::Message::Close(frame))) => {
                    self.inbox.end(Ok(Some(closed_with(frame))));
                    return None;
                }
                // tungstenite answers pings.
                Some(Ok(_)) => continue,
                Some(Err(error)) => return self.end_with(&error),
                None => {
                    self.inbox.end(Err(self.broken("the connection ended")));
                    return None;
                }
            });
        }
    }

    fn end_with(&self, error: &tungstenite::Error) -> Option<tungstenite::Message> {
        let (error, last) = match error {
            tungstenite::Error::Capacity(CapacityError::MessageTooLong { .. }) => {
                let kind = WebSocketErrorKind::TooLarge(self.max_message);
                (WebSocketError::new(kind, &self.url, ""), Some(CloseCode::Size))
            }
            tungstenite::Error::Utf8(why) => (self.broken(why), Some(CloseCode::Invalid)),
            tungstenite::Error::Io(error) => (self.broken(root(error).to_string()), None),
            other => (self.broken(root(other).to_string()), Some(CloseCode::Protocol)),
        };
        self.inbox.end(Err(error));
        last.map(|code| close(code, ""))
    }

    fn broken(&self, why: impl Into<String>) -> WebSocketError {
        WebSocketError::new(WebSocketErrorKind::Broken, &self.url, why)
    }
}

/// Writes what is ordered, until that's a close, or nobody is left to order anything, which closes too.
async fn write(outgoing: &mut Outgoing, ordered: &mut mpsc::Receiver<Order>) {
    while let Some(Order { message, written }) = ordered.recv().await {
        let is_close = message.is_close();
        // Where it can't be written, whoever reads learns why, and the order is dropped.
        if outgoing.send(message).await.is_ok() {
            // Who gave the order may be gone.
            let _ = written.send(());
        }
        if is_close {
            // What was ordered after it is dropped.
            ordered.close();
            while ordered.try_recv().is_ok() {}
            return;
        }
    }
    let _ = outgoing.send(close(CloseCode::Normal, "")).await;
}

/// Sends the last message, if there is one to be sent, and waits for the end of the connection.
async fn say_farewell(mut outgoing: Outgoing, mut incoming: Incoming, last: Option<tungstenite::Message>) {
    let Some(last) = last else {
        // This writes the answer to the peer's close.
        while let Some(Ok(_)) = incoming.next().await {}
        return;
    };
    if let (Ok(()), Ok(socket)) = (outgoing.send(last).await, outgoing.reunite(incoming)) {
        // A socket that is dropped with something unread resets the connection, before the peer has read why.
        let _ = copy(&mut socket.into_inner(), &mut sink()).await;
    }
}

fn close(code: CloseCode, reason: &str) -> tungstenite::Message {
    tungstenite::Message::Close(Some(frame::CloseFrame { code, reason: reason.into() }))
}

fn closed_with(frame: Option<frame::CloseFrame>) -> CloseFrame {
    match frame {
        Some(frame) => CloseFrame { code: frame.code.into(), reason: frame.reason.as_str().to_owned() },
        // "No status", which is never sent.
        None => CloseFrame { code: 1005, reason: String::new() },
    }
}
