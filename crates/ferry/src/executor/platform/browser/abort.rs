//! An `AbortSignal` of JavaScript's, as what cancels.

use crate::cancel::Canceller;
use js_sys::{Function, Reflect};
use wasm_bindgen::{JsCast, JsValue, prelude::Closure};
use web_sys::AbortSignal;

/// A listener of a signal, until it's dropped.
pub(super) struct Listening {
    signal: AbortSignal,
    listener: Closure<dyn Fn()>,
}

impl Drop for Listening {
    fn drop(&mut self) {
        let removed = self.signal.remove_event_listener_with_callback("abort", self.listener());
        debug_assert!(removed.is_ok(), "removing a listener throws nothing");
    }
}

impl Listening {
    fn listener(&self) -> &Function {
        self.listener.as_ref().unchecked_ref()
    }
}

/// Makes a request to cancel when `signal` aborts, with the text of its reason.
pub(super) fn cancel_on_abort(signal: &AbortSignal, canceller: Canceller) -> Listening {
    on_abort(signal, move |reason| {
        canceller.cancel(reason);
    })
}

/// Calls `call` when `signal` aborts, with the text of its reason.
fn on_abort(signal: &AbortSignal, call: impl Fn(&str) + 'static) -> Listening {
    let aborted = signal.clone();
    let listener = Closure::new(move || call(&text_of(&aborted.reason())));
    let listening = Listening { signal: signal.clone(), listener };
    let added = signal.add_event_listener_with_callback("abort", listening.listener());
    debug_assert!(added.is_ok(), "adding a listener throws nothing");
    listening
}

/// An error's message, a text itself, or nothing.
fn text_of(reason: &JsValue) -> String {
    let message = || Reflect::get(reason, &"message".into()).ok()?.as_string();
    reason.as_string().or_else(message).unwrap_or_default()
}
