//! `Barrier`.

use super::{begun, error_of};
use js_sys::Promise;
use std::rc::Rc;
use wasm_bindgen::{JsValue, prelude::wasm_bindgen};
use web_sys::AbortSignal;

/// Where so many wait for one another.
#[wasm_bindgen]
pub struct Barrier(Rc<asyncferry::sync::Barrier>);

#[wasm_bindgen]
impl Barrier {
    /// A barrier for `parties`; a RangeError unless they are a whole number from 1 on.
    #[wasm_bindgen(constructor)]
    pub fn new(parties: f64) -> Result<Self, JsValue> {
        match super::queue::count(parties, "parties")? {
            0 => Err(super::queue::range_error("parties", "1")),
            parties => Ok(Self(Rc::new(asyncferry::sync::Barrier::new(parties)))),
        }
    }

    /// How many it's for.
    #[wasm_bindgen(getter)]
    pub fn parties(&self) -> usize {
        self.0.parties()
    }

    /// How many wait.
    #[wasm_bindgen(getter)]
    pub fn waiting(&self) -> usize {
        self.0.n_waiting()
    }

    /// Whether it's broken: aborted, or reset while some waited.
    #[wasm_bindgen(getter)]
    pub fn broken(&self) -> bool {
        self.0.broken()
    }

    /// Waits for the others, and gives this one's number among them. An error named `BrokenBarrierError` if it breaks.
    #[wasm_bindgen(unchecked_return_type = "Promise<number>")]
    pub fn wait(&self, signal: Option<AbortSignal>) -> Promise {
        let barrier = self.0.clone();
        let wait = async move {
            match barrier.wait().await {
                #[expect(clippy::cast_precision_loss, reason = "nobody has so many")]
                Ok(number) => Ok(JsValue::from(number as f64)),
                Err(error) => Err(error_of("BrokenBarrierError", error)),
            }
        };
        begun(wait, signal.as_ref())
    }

    /// Breaks it, for all who wait and will.
    pub fn abort(&self) {
        self.0.abort();
    }

    /// Makes it new; it breaks for those who wait.
    pub fn reset(&self) {
        self.0.reset();
    }
}
