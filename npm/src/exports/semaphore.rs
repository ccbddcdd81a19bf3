//! `Semaphore`.

use super::{error_of, promise_of};
use js_sys::Promise;
use wasm_bindgen::{JsValue, prelude::wasm_bindgen};
use web_sys::AbortSignal;

/// So many at once, in the order of asking. A release too many is an error.
#[wasm_bindgen]
pub struct Semaphore(asyncferry::sync::BoundedSemaphore);

#[wasm_bindgen]
impl Semaphore {
    /// A semaphore with `permits`; a RangeError unless they are a whole number from 0 on.
    #[wasm_bindgen(constructor)]
    pub fn new(permits: f64) -> Result<Self, JsValue> {
        Ok(Self(asyncferry::sync::BoundedSemaphore::new(super::queue::count(permits, "permits")?)))
    }

    /// How many permits are free.
    #[wasm_bindgen(getter)]
    pub fn permits(&self) -> usize {
        self.0.permits()
    }

    /// Whether an `acquire` would have to wait.
    #[wasm_bindgen(getter)]
    pub fn locked(&self) -> bool {
        self.0.locked()
    }

    /// Takes a permit, once it's this one's turn. One whose signal aborts takes none.
    #[wasm_bindgen(unchecked_return_type = "Promise<void>")]
    pub fn acquire(&self, signal: Option<AbortSignal>) -> Promise {
        let acquire = self.0.acquire_owned();
        promise_of(async { acquire.await.forget() }, signal.as_ref())
    }

    /// Takes a permit if one is free.
    #[wasm_bindgen(js_name = tryAcquire)]
    pub fn try_acquire(&self) -> bool {
        self.0.try_acquire().map(|permit| permit.forget()).is_some()
    }

    /// Gives a permit back; an Error if all of them are there.
    pub fn release(&self) -> Result<(), JsValue> {
        self.0.release().map_err(|error| error_of("Error", error))
    }
}
