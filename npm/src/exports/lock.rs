//! `Lock`.

use super::{error_of, promise_of, settled};
use asyncferry::{js, sync::BoundedSemaphore};
use js_sys::{Function, Promise};
use wasm_bindgen::{JsValue, prelude::wasm_bindgen};
use web_sys::AbortSignal;

/// One at a time, in the order of asking.
#[wasm_bindgen]
pub struct Lock(BoundedSemaphore);

#[wasm_bindgen]
impl Lock {
    /// A lock that nobody has.
    #[wasm_bindgen(constructor)]
    pub fn new() -> Self {
        Self(BoundedSemaphore::new(1))
    }

    /// Whether somebody has it.
    #[wasm_bindgen(getter)]
    pub fn locked(&self) -> bool {
        self.0.locked()
    }

    /// Takes the lock, once it's this one's turn. `run` is safer, as it can't forget to release.
    #[wasm_bindgen(unchecked_return_type = "Promise<void>")]
    pub fn acquire(&self, signal: Option<AbortSignal>) -> Promise {
        let acquire = self.0.acquire_owned();
        promise_of(async { acquire.await.forget() }, signal.as_ref())
    }

    /// Lets go of the lock; an Error if nobody has it.
    pub fn release(&self) -> Result<(), JsValue> {
        self.0.release().map_err(|_| error_of("Error", "the lock is not acquired"))
    }

    /// Calls `work` with the lock held, and gives what it returns or what its promise gives. Whether it fails or its
    /// signal aborts, the lock is released.
    #[wasm_bindgen(unchecked_return_type = "Promise<any>")]
    pub fn run(
        &self,
        #[wasm_bindgen(unchecked_param_type = "() => any")] work: Function,
        signal: Option<AbortSignal>,
    ) -> Promise {
        let acquire = self.0.acquire_owned();
        let run = async move {
            let _held = acquire.await;
            settled(work.call0(&JsValue::UNDEFINED)?).await
        };
        js::to_promise_with(run, signal.as_ref())
    }
}
