//! Rust's futures as JavaScript's promises, and promises that are aborted with the future that waits for them.

use super::abort::{abort_error, cancel_on_abort};
use crate::{
    error::AsyncError,
    task::{TaskBuilder, spawn_local},
};
use js_sys::{Error, Function, Promise};
use std::{
    cell::RefCell,
    future::Future,
    pin::Pin,
    task::{Context, Poll},
};
use wasm_bindgen::{JsCast, JsValue};
use wasm_bindgen_futures::JsFuture;
use web_sys::{AbortController, AbortSignal};

/// Starts `future` as a task of the loop, and gives JavaScript a promise of its result. A task that is cancelled
/// rejects it with an `AbortError` that has the message of the request; one that can't be started or joined, and every
/// one when the program panics, with an `Error`.
///
/// ```no_run
/// use asyncferry::{js, sleep};
/// use std::time::Duration;
/// use wasm_bindgen::{JsValue, prelude::wasm_bindgen};
///
/// #[wasm_bindgen]
/// pub fn answer() -> js_sys::Promise {
///     js::to_promise(async {
///         sleep(Duration::from_millis(10)).await;
///         Ok(JsValue::from(42))
///     })
/// }
/// ```
pub fn to_promise<F>(future: F) -> Promise
where
    F: Future<Output = Result<JsValue, JsValue>> + 'static,
{
    to_promise_with(future, None)
}

/// [`to_promise`] for a caller that may pass an `AbortSignal`, as one does to `fetch`: when it aborts, the task is asked
/// to cancel, with the text of the signal's reason as the message. Where the task ends of that, the promise is rejected
/// with the signal's reason itself. A signal that has aborted before starts no task.
pub fn to_promise_with<F>(future: F, signal: Option<&AbortSignal>) -> Promise
where
    F: Future<Output = Result<JsValue, JsValue>> + 'static,
{
    if let Some(signal) = signal.filter(|signal| signal.aborted()) {
        return Promise::reject(&signal.reason());
    }
    let mut ends = None;
    let promise = Promise::new(&mut |resolve, reject| ends = Some((resolve, reject)));
    let (resolve, reject) = ends.unwrap_or_else(|| unreachable!("a promise calls its executor at once"));
    // Before the task begins, as its first poll may be the loop's last.
    let pending = Pending::new(&reject);
    let task = match TaskBuilder::new().spawn_local(future) {
        Ok(task) => task,
        Err(error) => return Promise::reject(&Error::new(&error.to_string())),
    };
    let signal = signal.cloned();
    let listening =
        signal.as_ref().zip(task.canceller()).map(|(signal, canceller)| cancel_on_abort(signal, canceller));
    drop(spawn_local(async move {
        let ended = task.await.unwrap_or_else(|error| Err(to_js(error, signal.as_ref())));
        drop((pending, listening));
        let told = match ended {
            Ok(value) => resolve.call1(&JsValue::UNDEFINED, &value),
            Err(error) => reject.call1(&JsValue::UNDEFINED, &error),
        };
        debug_assert!(told.is_ok(), "settling a promise throws nothing");
    }));
    promise
}

fn to_js(error: AsyncError, signal: Option<&AbortSignal>) -> JsValue {
    match (error, signal.filter(|signal| signal.aborted())) {
        (AsyncError::Cancelled(_), Some(signal)) => signal.reason(),
        (AsyncError::Cancelled(message), None) => abort_error(&message),
        (error, _) => Error::new(&error.to_string()).into(),
    }
}

/// Starts what gives a promise and takes an `AbortSignal`, such as `fetch`, and waits for it. Where the future is
/// dropped before the promise has settled, the signal aborts.
///
/// ```no_run
/// use asyncferry::{js, timeout};
/// use std::time::Duration;
/// use wasm_bindgen::{JsValue, prelude::wasm_bindgen};
///
/// #[wasm_bindgen]
/// extern "C" {
///     #[wasm_bindgen(js_name = loadTile)]
///     fn load_tile(signal: &web_sys::AbortSignal) -> js_sys::Promise;
/// }
///
/// # async fn example() -> Result<(), JsValue> {
/// let tile = timeout(Duration::from_secs(5), js::abortable(load_tile)).await;
/// # Ok(()) }
/// ```
pub fn abortable(start: impl FnOnce(&AbortSignal) -> Promise) -> Abortable {
    match AbortController::new() {
        Ok(controller) => {
            Abortable { waits: start(&controller.signal()).into(), controller: Some(controller) }
        }
        Err(error) => Abortable { waits: Promise::reject(&error).into(), controller: None },
    }
}

/// What [`abortable`] returns.
#[derive(Debug)]
#[must_use = "the promise is aborted when this is dropped"]
pub struct Abortable {
    waits: JsFuture,
    /// Until the promise has settled.
    controller: Option<AbortController>,
}

impl Future for Abortable {
    type Output = Result<JsValue, JsValue>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let polled = Pin::new(&mut self.waits).poll(cx);
        if polled.is_ready() {
            self.controller = None;
        }
        polled
    }
}

impl Drop for Abortable {
    fn drop(&mut self) {
        if let Some(controller) = self.controller.take() {
            controller.abort();
        }
    }
}

thread_local! {
    static PENDING: RefCell<Rejecters> = const { RefCell::new(Rejecters { places: Vec::new(), free: Vec::new() }) };
}

/// What rejects the promises that JavaScript may wait for, each in a place of its own.
struct Rejecters {
    places: Vec<Option<Function>>,
    free: Vec<usize>,
}

/// A promise that JavaScript may wait for: its place.
struct Pending(usize);

impl Pending {
    fn new(reject: &Function) -> Self {
        PENDING.with_borrow_mut(|pending| {
            let place = pending.free.pop().unwrap_or_else(|| {
                pending.places.push(None);
                pending.places.len() - 1
            });
            pending.places[place] = Some(reject.clone());
            Self(place)
        })
    }
}

impl Drop for Pending {
    fn drop(&mut self) {
        PENDING.with_borrow_mut(|pending| {
            pending.places[self.0] = None;
            pending.free.push(self.0);
        });
    }
}

/// Rejects all promises, as no task will settle one any more.
pub(super) fn reject_all(text: &str) {
    let pending = PENDING.try_with(|pending| pending.try_borrow().map(|all| all.places.clone()));
    let error = Error::new(text).unchecked_into::<JsValue>();
    for reject in pending.into_iter().flatten().flatten().flatten() {
        let told = reject.call1(&JsValue::UNDEFINED, &error);
        debug_assert!(told.is_ok(), "settling a promise throws nothing");
    }
}
