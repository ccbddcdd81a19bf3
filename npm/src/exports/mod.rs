//! What JavaScript sees. Each class is a handle of a primitive of Ferry's; each wait is a task of the page's loop, whose
//! promise JavaScript awaits, and which an abort signal cancels.

mod barrier;
mod event;
mod lock;
mod map;
mod queue;
mod semaphore;
mod time;

use asyncferry::js;
use js_sys::{Error, Promise};
use std::{
    fmt::Display,
    future::Future,
    task::{Context, Poll, Waker},
};
use wasm_bindgen::JsValue;
use web_sys::{AbortController, AbortSignal};

/// A promise of nothing but that `wait` has ended.
fn promise_of(wait: impl Future<Output = ()> + 'static, signal: Option<&AbortSignal>) -> Promise {
    let wait = async {
        wait.await;
        Ok(JsValue::UNDEFINED)
    };
    begun(wait, signal)
}

/// A promise of what `wait` gives, which begins here and now: who comes later stands behind it. It's a primitive's wait,
/// so one that is cancelled after it was served hands that on.
fn begun(
    wait: impl Future<Output = Result<JsValue, JsValue>> + 'static,
    signal: Option<&AbortSignal>,
) -> Promise {
    if let Some(signal) = signal.filter(|signal| signal.aborted()) {
        return Promise::reject(&signal.reason());
    }
    let mut wait = Box::pin(wait);
    // The task that awaits it brings its own waker, and looks again first.
    match wait.as_mut().poll(&mut Context::from_waker(Waker::noop())) {
        Poll::Ready(Ok(value)) => Promise::resolve(&value),
        Poll::Ready(Err(error)) => Promise::reject(&error),
        Poll::Pending => js::to_promise_with(wait, signal),
    }
}

/// An error of JavaScript's with the text of `error`, and `name` to tell it by.
fn error_of(name: &str, error: impl Display) -> JsValue {
    let made = Error::new(&error.to_string());
    made.set_name(name);
    made.into()
}

/// What a function of JavaScript's returned, or what that gives if it's a promise or another thenable.
async fn settled(returned: JsValue) -> Result<JsValue, JsValue> {
    js::JsFuture::from(Promise::resolve(&returned)).await
}

/// A signal for work that was started. It aborts unless that ended well.
struct Work {
    controller: AbortController,
    ended_well: bool,
}

impl Work {
    fn new() -> Result<Self, JsValue> {
        Ok(Self { controller: AbortController::new()?, ended_well: false })
    }

    fn signal(&self) -> AbortSignal {
        self.controller.signal()
    }
}

impl Drop for Work {
    fn drop(&mut self) {
        if !self.ended_well {
            self.controller.abort();
        }
    }
}
