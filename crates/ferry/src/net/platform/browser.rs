//! The browser's network, and Node's: `fetch` and `WebSocket` of JavaScript, in windows and workers alike.

mod fetch;
mod websocket;

pub(in crate::net) use fetch::{Incoming, send};
pub(in crate::net) use websocket::{Link, connect};

use crate::executor::{Loop, with_loop};
use js_sys::Reflect;
use wasm_bindgen::JsValue;

/// Why nothing can come of the network now, if so.
fn why_not() -> Option<&'static str> {
    let is_virtual = with_loop(Loop::is_virtual);
    is_virtual
        .then_some("in the browser nothing can come while a virtual clock runs; use the page's own loop")
}

/// What an error of JavaScript's says, with its cause, where Node tells what happened.
fn text_of(error: &JsValue) -> String {
    let get = |from: &JsValue, name: &str| Reflect::get(from, &name.into()).ok();
    let message = |error: &JsValue| get(error, "message")?.as_string();
    let text = message(error).unwrap_or_else(|| format!("{error:?}"));
    let cause = get(error, "cause").and_then(|cause| {
        message(&cause).filter(|text| !text.is_empty()).or_else(|| get(&cause, "code")?.as_string())
    });
    match cause {
        Some(cause) => format!("{text} ({cause})"),
        None => text,
    }
}
