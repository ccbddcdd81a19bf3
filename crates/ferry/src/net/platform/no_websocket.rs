//! Where there is no WebSocket: WASI, whose HTTP can't be upgraded.

use crate::net::websocket::{CloseFrame, Inbox, Message, WebSocketError, WebSocketOptions};
use std::{convert::Infallible, sync::Arc};

/// What is never opened.
#[derive(Clone)]
pub(in crate::net) struct Link(Infallible);

impl Link {
    pub(in crate::net) async fn send(&self, _message: Message) -> Result<(), ()> {
        match self.0 {}
    }

    pub(in crate::net) async fn close(&self, _frame: CloseFrame) -> Result<(), ()> {
        match self.0 {}
    }
}

/// Says that there is none.
pub(in crate::net) async fn connect(
    url: &str,
    _protocols: &[&str],
    _options: WebSocketOptions,
    _inbox: Arc<Inbox>,
) -> Result<(Link, Option<String>), WebSocketError> {
    Err(WebSocketError::not_supported(
        url,
        "WASI has no WebSockets; use `fetch`, or run natively or in a browser",
    ))
}
