//! `Event`.

use super::promise_of;
use js_sys::Promise;
use std::rc::Rc;
use wasm_bindgen::prelude::wasm_bindgen;
use web_sys::AbortSignal;

/// Something that happens once for all who wait, until it's cleared.
#[wasm_bindgen]
#[derive(Default)]
pub struct Event(Rc<asyncferry::sync::Event>);

#[wasm_bindgen]
impl Event {
    /// An event that has not happened.
    #[wasm_bindgen(constructor)]
    pub fn new() -> Self {
        Self::default()
    }

    /// Whether it has happened.
    #[wasm_bindgen(getter, js_name = isSet)]
    pub fn is_set(&self) -> bool {
        self.0.is_set()
    }

    /// It happens: all who wait go on, and who comes later doesn't wait.
    pub fn set(&self) {
        self.0.set();
    }

    /// As if it had not happened.
    pub fn clear(&self) {
        self.0.clear();
    }

    /// Waits until it happens.
    #[wasm_bindgen(unchecked_return_type = "Promise<void>")]
    pub fn wait(&self, signal: Option<AbortSignal>) -> Promise {
        let event = self.0.clone();
        promise_of(async move { event.wait().await }, signal.as_ref())
    }
}
