//! `sleep` and `timeout`.

use super::{Work, error_of, promise_of, settled};
use asyncferry::js;
use js_sys::{Function, Promise};
use std::time::Duration;
use wasm_bindgen::{JsValue, prelude::wasm_bindgen};
use web_sys::AbortSignal;

fn duration(milliseconds: f64) -> Duration {
    Duration::try_from_secs_f64(milliseconds / 1000.0).unwrap_or(if milliseconds > 0.0 {
        Duration::MAX
    } else {
        Duration::ZERO
    })
}

/// Waits so many milliseconds; a fraction counts. Short ones are not held back to 4 ms as nested `setTimeout`s are.
#[wasm_bindgen(unchecked_return_type = "Promise<void>")]
pub fn sleep(milliseconds: f64, signal: Option<AbortSignal>) -> Promise {
    promise_of(asyncferry::sleep(duration(milliseconds)), signal.as_ref())
}

/// Calls `work` with a signal, and gives what its promise gives. When that takes longer than so many milliseconds, the
/// signal aborts, and an error named `TimeoutError` is thrown.
#[wasm_bindgen(unchecked_return_type = "Promise<any>")]
pub fn timeout(
    milliseconds: f64,
    #[wasm_bindgen(unchecked_param_type = "(signal: AbortSignal) => any")] work: Function,
    signal: Option<AbortSignal>,
) -> Promise {
    let run = async move {
        let mut at_work = Work::new()?;
        let working = settled(work.call1(&JsValue::UNDEFINED, &at_work.signal())?);
        let ended = asyncferry::timeout(duration(milliseconds), working).await;
        at_work.ended_well = ended.is_ok();
        ended.unwrap_or_else(|error| Err(error_of("TimeoutError", error)))
    };
    js::to_promise_with(run, signal.as_ref())
}
