//! The parts of the page, each of which listens to its own buttons.

mod clock;
mod compute;
mod fetching;
mod page;
mod queue;
mod status;

use asyncferry::AsyncRuntime;
use wasm_bindgen::{JsValue, prelude::wasm_bindgen};

/// The program's beginning: called once the page has loaded the module.
#[wasm_bindgen(start)]
pub fn start() -> Result<(), JsValue> {
    clock::listen()?;
    queue::listen()?;
    fetching::listen()?;
    compute::listen()?;
    AsyncRuntime::run(status::show());
    page::set_text("state", "ready")
}
