//! `Queue`.

use super::{begun, error_of, promise_of};
use asyncferry::sync::Shutdown;
use js_sys::{Promise, RangeError};
use std::rc::Rc;
use wasm_bindgen::{JsValue, prelude::wasm_bindgen};
use web_sys::AbortSignal;

/// First in, first out, and at most so many in it: who puts waits for room.
#[wasm_bindgen]
pub struct Queue(Rc<asyncferry::sync::Queue<JsValue>>);

/// An error named `QueueShutDown`.
fn shut_down() -> JsValue {
    error_of("QueueShutDown", "the queue was shut down")
}

#[wasm_bindgen]
impl Queue {
    /// A queue that holds at most `maxsize` items; 0, or nothing, is any number. A RangeError for anything else.
    #[wasm_bindgen(constructor)]
    pub fn new(maxsize: Option<f64>) -> Result<Self, JsValue> {
        let maxsize = count(maxsize.unwrap_or(0.0), "maxsize")?;
        Ok(Self(Rc::new(asyncferry::sync::Queue::new(maxsize))))
    }

    /// How many items are in it.
    #[wasm_bindgen(getter)]
    pub fn size(&self) -> usize {
        self.0.qsize()
    }

    /// How many may be; 0 is any number.
    #[wasm_bindgen(getter)]
    pub fn maxsize(&self) -> usize {
        self.0.maxsize()
    }

    /// Puts an item in, once there is room. An error named `QueueShutDown` after a `shutdown`.
    #[wasm_bindgen(unchecked_return_type = "Promise<void>")]
    pub fn put(
        &self,
        #[wasm_bindgen(unchecked_param_type = "any")] item: JsValue,
        signal: Option<AbortSignal>,
    ) -> Promise {
        let queue = self.0.clone();
        let put = async move { queue.put(item).await.map(|()| JsValue::UNDEFINED).map_err(|_| shut_down()) };
        begun(put, signal.as_ref())
    }

    /// Puts an item in if there is room; whether there was. An error named `QueueShutDown` after a `shutdown`.
    #[wasm_bindgen(js_name = putNowait)]
    pub fn put_nowait(
        &self,
        #[wasm_bindgen(unchecked_param_type = "any")] item: JsValue,
    ) -> Result<bool, JsValue> {
        match self.0.put_nowait(item) {
            Ok(()) => Ok(true),
            Err(_) if self.0.is_shut_down() => Err(shut_down()),
            Err(_) => Ok(false),
        }
    }

    /// Takes the next item, once there is one. An error named `QueueShutDown` when it's empty after a `shutdown`.
    #[wasm_bindgen(unchecked_return_type = "Promise<any>")]
    pub fn get(&self, signal: Option<AbortSignal>) -> Promise {
        let queue = self.0.clone();
        begun(async move { queue.get().await.map_err(|_| shut_down()) }, signal.as_ref())
    }

    /// Takes the next item if there is one, as the `value` of an object; else undefined. An error named
    /// `QueueShutDown` when it's empty after a `shutdown`.
    #[wasm_bindgen(js_name = getNowait, unchecked_return_type = "{ value: any } | undefined")]
    pub fn get_nowait(&self) -> Result<JsValue, JsValue> {
        match self.0.get_nowait() {
            Ok(item) => {
                let found = js_sys::Object::new();
                js_sys::Reflect::set(&found, &"value".into(), &item)?;
                Ok(found.into())
            }
            Err(_) if self.0.is_shut_down() => Err(shut_down()),
            Err(_) => Ok(JsValue::UNDEFINED),
        }
    }

    /// Says that an item that was got is done with; an Error if more are done than were put.
    #[wasm_bindgen(js_name = taskDone)]
    pub fn task_done(&self) -> Result<(), JsValue> {
        self.0.task_done().map_err(|error| error_of("Error", error))
    }

    /// Waits until all that was put is done with.
    #[wasm_bindgen(unchecked_return_type = "Promise<void>")]
    pub fn join(&self, signal: Option<AbortSignal>) -> Promise {
        let queue = self.0.clone();
        promise_of(async move { queue.join().await }, signal.as_ref())
    }

    /// Takes no more items; those in it can still be got, unless it's `immediate`.
    pub fn shutdown(&self, immediate: Option<bool>) {
        let how = if immediate.unwrap_or(false) { Shutdown::Immediate } else { Shutdown::Drain };
        self.0.shutdown(how);
    }
}

/// A count that came as a number of JavaScript's.
pub(super) fn count(number: f64, name: &str) -> Result<usize, JsValue> {
    if number < 0.0 || number.fract() != 0.0 || number > f64::from(u32::MAX) || number.is_nan() {
        return Err(range_error(name, "0"));
    }
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "it was looked at")]
    Ok(number as usize)
}

pub(super) fn range_error(name: &str, least: &str) -> JsValue {
    RangeError::new(&format!("{name} must be a whole number from {least} on")).into()
}
