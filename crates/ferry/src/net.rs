//! HTTP and WebSockets: [`fetch`], and [`WebSocket`]. With the Cargo feature `net`.
//!
//! | | natively | browser and Node | WASI 0.2 | WASI 0.1 |
//! |---|---|---|---|---|
//! | [`fetch`] | reqwest: HTTP/1.1, HTTP/2, TLS by rustls | the Fetch API | wasi:http | no |
//! | a body that streams out | yes | no | yes | no |
//! | proxies | `HTTP_PROXY` and the like | the browser's | the host's | no |
//! | [`WebSocket`] | tungstenite, TLS by rustls | `WebSocket` | no | no |
//!
//! "No" is an error that holds an [`AsyncError::PlatformNotSupported`](crate::AsyncError::PlatformNotSupported). A user name
//! or password in a URL is a bad request everywhere, as `fetch` of browsers has it. On WASI the whole body is sent before
//! the answer is looked at, so a body that waits for the answer never ends.
//!
//! Natively the certificates that are trusted are those of the system, and connections belong to the process's pool of
//! threads: they are kept for the next request of whichever loop or thread, and work without a loop as well. In the
//! browser the futures stay on their thread, as JavaScript's objects do; use [`spawn_local`](crate::spawn_local) there.
//!
//! Under a virtual clock, time stands still while something of the network is awaited, since nobody can tell how much
//! of it will have passed; so no timeout comes meanwhile, and a test whose server says nothing hangs. In the browser
//! nothing can come while a virtual clock runs, and each call gives an error.

mod address;
mod error;
mod headers;
mod platform;
mod request;
mod response;
mod websocket;

pub use bytes::Bytes;
pub use error::{FetchError, FetchErrorKind};
pub use headers::Headers;
pub use request::{Request, fetch};
pub use response::{Chunks, Response};
pub use websocket::{
    CloseFrame, Message, WebSocket, WebSocketError, WebSocketErrorKind, WebSocketOptions, WebSocketReceiver,
    WebSocketSender,
};
