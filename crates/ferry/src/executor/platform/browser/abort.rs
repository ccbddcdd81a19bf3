//! An `AbortSignal` of JavaScript's, as what cancels.

use crate::{
    cancel::{CancellationToken, Cancelled, Canceller},
    task::{TaskBuilder, TaskHandle},
};
use js_sys::{Error, Function, Reflect};
use wasm_bindgen::{JsCast, JsValue, prelude::Closure};
use web_sys::{AbortController, AbortSignal, DomException};

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

/// A token that is cancelled when `signal` aborts, with the text of its reason; already, if it has. The signal keeps the
/// token and a listener for as long as it lives: of one that outlives its requests make one token, and children of that.
///
/// ```no_run
/// use asyncferry::{js, sleep};
/// use std::time::Duration;
/// use wasm_bindgen::{JsValue, prelude::wasm_bindgen};
///
/// /// Counts until the caller's signal aborts.
/// #[wasm_bindgen]
/// pub async fn count(signal: web_sys::AbortSignal) -> u32 {
///     let token = js::token_of(&signal);
///     let mut counted = 0;
///     while token.run_until_cancelled(sleep(Duration::from_millis(10))).await.is_ok() {
///         counted += 1;
///     }
///     counted
/// }
/// ```
pub fn token_of(signal: &AbortSignal) -> CancellationToken {
    let token = CancellationToken::new();
    if signal.aborted() {
        token.cancel(&text_of(&signal.reason()));
        return token;
    }
    // The listener goes with the signal.
    let (aborted, cancels) = (signal.clone(), token.clone());
    let cancel = move || {
        cancels.cancel(&text_of(&aborted.reason()));
    };
    let listener = Closure::once_into_js(cancel);
    let added = signal.add_event_listener_with_callback("abort", listener.unchecked_ref());
    debug_assert!(added.is_ok(), "adding a listener throws nothing");
    token
}

/// A signal that aborts when `token` is cancelled, at the loop's next turn, with an `AbortError` that has the token's
/// reason as its message; for `fetch` and whatever else takes one. It aborts no more once the [`TokenSignal`] is dropped.
///
/// ```no_run
/// use asyncferry::{CancellationToken, js};
/// use wasm_bindgen::{JsValue, prelude::wasm_bindgen};
///
/// #[wasm_bindgen]
/// extern "C" {
///     #[wasm_bindgen(js_name = loadTile)]
///     fn load_tile(signal: &web_sys::AbortSignal) -> js_sys::Promise;
/// }
///
/// # async fn example(token: CancellationToken) -> Result<(), JsValue> {
/// let signal = js::signal_of(&token)?;
/// let tile = js::JsFuture::from(load_tile(signal.signal())).await?;
/// # Ok(()) }
/// ```
///
/// # Errors
/// When the page has no such signals, or its loop has ended by a panic.
pub fn signal_of(token: &CancellationToken) -> Result<TokenSignal, JsValue> {
    let controller = AbortController::new()?;
    let signal = controller.signal();
    let token = token.clone();
    let abort = move |cancelled: Cancelled| {
        controller.abort_with_reason(&abort_error(cancelled.message()));
    };
    if let Some(cancelled) = token.reason() {
        abort(cancelled);
        return Ok(TokenSignal { signal, watcher: None });
    }
    let watcher = TaskBuilder::new()
        .spawn_local(async move { abort(token.cancelled_owned().await) })
        .map_err(|error| Error::new(&error.to_string()))?;
    Ok(TokenSignal { signal, watcher: Some(watcher) })
}

/// What [`signal_of`] returns.
#[derive(Debug)]
#[must_use = "the signal aborts no more once this is dropped"]
pub struct TokenSignal {
    signal: AbortSignal,
    watcher: Option<TaskHandle<()>>,
}

impl TokenSignal {
    /// The signal.
    pub fn signal(&self) -> &AbortSignal {
        &self.signal
    }
}

impl Drop for TokenSignal {
    fn drop(&mut self) {
        if let Some(watcher) = &self.watcher {
            watcher.abort();
        }
    }
}

/// What JavaScript gets for a cancellation.
pub(super) fn abort_error(message: &str) -> JsValue {
    DomException::new_with_message_and_name(message, "AbortError").map_or_else(|error| error, JsValue::from)
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
