//! WebSockets, on JavaScript's own. What comes can't be made to wait there, so what is beyond the bound ends it.

use super::{text_of, why_not};
use crate::{
    net::websocket::{CloseFrame, Inbox, Message, WebSocketError, WebSocketErrorKind, WebSocketOptions},
    promise::{Promise, promise},
    time::sleep,
};
use js_sys::{Array, ArrayBuffer, JsString, Reflect, Uint8Array, global};
use std::{cell::Cell, rc::Rc, sync::Arc, time::Duration};
use wasm_bindgen::{JsCast, JsValue, prelude::Closure};
use web_sys::{BinaryType, CloseEvent, MessageEvent, WebSocket};

/// How many bytes may wait to be sent before who sends has to wait.
const MOST_UNSENT: u32 = 1 << 20;
/// Nobody tells when they are gone, so it's looked at again and again, after so long at first, and so long at most.
const LOOKS: (Duration, Duration) = (Duration::from_millis(1), Duration::from_millis(50));
/// A code of our own for what is too large or too much: 1009 is not for programs of a browser to give.
const TOO_MUCH: u16 = 4009;
/// The code of a connection that broke.
const BROKE: u16 = 1006;

/// A WebSocket of JavaScript's. When the last clone of this goes, it's closed.
#[derive(Clone)]
pub(in crate::net) struct Link(Rc<Socket>);

struct Socket {
    socket: WebSocket,
    _on_open: Closure<dyn Fn()>,
    _on_message: Closure<dyn Fn(MessageEvent)>,
    _on_close: Closure<dyn Fn(CloseEvent)>,
}

impl Drop for Socket {
    fn drop(&mut self) {
        self.socket.set_onopen(None);
        self.socket.set_onmessage(None);
        self.socket.set_onclose(None);
        // It may be closed already, which is what is wanted.
        let _ = self.socket.close_with_code(1000);
    }
}

impl Link {
    /// Sends `message`; an error when it's closed.
    pub(in crate::net) async fn send(&self, message: Message) -> Result<(), ()> {
        let socket = &self.0.socket;
        self.is_open()?;
        let sent = match &message {
            Message::Text(text) => socket.send_with_str(text),
            Message::Binary(bytes) => socket.send_with_js_u8_array(&Uint8Array::from(&**bytes)),
        };
        sent.map_err(drop)?;
        let (mut look, longest) = LOOKS;
        while socket.buffered_amount() > MOST_UNSENT {
            sleep(look).await;
            self.is_open()?;
            look = (look * 2).min(longest);
        }
        Ok(())
    }

    /// Asks to close; an error when it's closed.
    pub(in crate::net) async fn close(&self, frame: CloseFrame) -> Result<(), ()> {
        self.is_open()?;
        self.0.socket.close_with_code_and_reason(frame.code, &frame.reason).map_err(drop)
    }

    fn is_open(&self) -> Result<(), ()> {
        if self.0.socket.ready_state() == WebSocket::OPEN { Ok(()) } else { Err(()) }
    }
}

/// Opens a WebSocket to `url`, whose messages go to `inbox`; with it comes the subprotocol that the server chose.
pub(in crate::net) async fn connect(
    url: &str,
    protocols: &[&str],
    options: WebSocketOptions,
    inbox: Arc<Inbox>,
) -> Result<(Link, Option<String>), WebSocketError> {
    let is_there = Reflect::has(&global(), &"WebSocket".into()).unwrap_or(false);
    if let Some(why) = why_not().or((!is_there).then_some("there is no `WebSocket` here; of Node, 22 has it"))
    {
        return Err(WebSocketError::not_supported(url, why));
    }
    let protocols: Array = protocols.iter().map(|protocol| JsValue::from(*protocol)).collect();
    let socket = WebSocket::new_with_str_sequence(url, &protocols).map_err(|error| {
        let why = format!("{}; correct it", text_of(&error));
        WebSocketError::new(WebSocketErrorKind::BadRequest, url, why)
    })?;
    socket.set_binary_type(BinaryType::Arraybuffer);
    let (promise, opened) = promise();
    let link =
        watch(socket, Watcher { url: url.to_owned(), options, inbox, opening: Cell::new(Some(promise)) });
    if !matches!(opened.await, Ok(true)) {
        let why = "the browser doesn't say why";
        return Err(WebSocketError::new(WebSocketErrorKind::Unreachable, url, why));
    }
    let protocol = Some(link.0.socket.protocol()).filter(|protocol| !protocol.is_empty());
    Ok((link, protocol))
}

/// What hears of a WebSocket.
struct Watcher {
    url: String,
    options: WebSocketOptions,
    inbox: Arc<Inbox>,
    /// Whether it has opened, until that is known.
    opening: Cell<Option<Promise<bool>>>,
}

fn watch(socket: WebSocket, watcher: Watcher) -> Link {
    let watcher = Rc::new(watcher);
    let (opens, hears, closes) = (watcher.clone(), watcher.clone(), watcher);
    let on_open = Closure::<dyn Fn()>::new(move || opens.opened(true));
    let from = socket.clone();
    let on_message = Closure::<dyn Fn(_)>::new(move |event: MessageEvent| hears.hear(&from, &event));
    let on_close = Closure::<dyn Fn(_)>::new(move |event: CloseEvent| closes.closed(&event));
    socket.set_onopen(Some(on_open.as_ref().unchecked_ref()));
    socket.set_onmessage(Some(on_message.as_ref().unchecked_ref()));
    socket.set_onclose(Some(on_close.as_ref().unchecked_ref()));
    Link(Rc::new(Socket { socket, _on_open: on_open, _on_message: on_message, _on_close: on_close }))
}

impl Watcher {
    fn opened(&self, is_open: bool) {
        if let Some(opening) = self.opening.take() {
            // Who waited for it may be gone.
            let _ = opening.complete(is_open);
        }
    }

    fn hear(&self, socket: &WebSocket, event: &MessageEvent) {
        let Some(message) = message_of(event.data()) else { return };
        let WebSocketOptions { max_message, buffer } = self.options;
        let too_much = if message.len() > max_message {
            WebSocketErrorKind::TooLarge(max_message)
        } else if !self.inbox.has_room_for(&message) {
            WebSocketErrorKind::Overrun(buffer)
        } else {
            return self.inbox.push(message);
        };
        self.inbox.end(Err(WebSocketError::new(too_much, &self.url, "")));
        // It may be closing already.
        let _ = socket.close_with_code_and_reason(TOO_MUCH, "too much at once");
    }

    fn closed(&self, event: &CloseEvent) {
        self.opened(false);
        self.inbox.end(match event.code() {
            BROKE => {
                Err(WebSocketError::new(WebSocketErrorKind::Broken, &self.url, "the connection was lost"))
            }
            code => Ok(Some(CloseFrame { code, reason: event.reason() })),
        });
    }
}

fn message_of(data: JsValue) -> Option<Message> {
    match data.dyn_into::<JsString>() {
        Ok(text) => Some(Message::Text(text.into())),
        Err(data) => {
            let buffer = data.dyn_into::<ArrayBuffer>().ok()?;
            Some(Message::Binary(Uint8Array::new(&buffer).to_vec().into()))
        }
    }
}
