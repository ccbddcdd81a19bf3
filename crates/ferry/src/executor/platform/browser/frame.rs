//! A turn for the page, in which it paints.

use crate::{
    executor::{Loop, with_loop},
    promise::promise,
    task::yield_now,
};
use std::{cell::RefCell, rc::Rc};
use wasm_bindgen::{JsCast, JsValue, prelude::*};
use web_sys::{VisibilityState, Window};

#[wasm_bindgen]
extern "C" {
    #[wasm_bindgen(js_name = setTimeout)]
    fn set_timeout(callback: &JsValue, milliseconds: f64) -> JsValue;
}

/// A page that went out of sight paints no frame: then this ends the wait, in milliseconds.
const NO_FRAME: f64 = 100.0;

/// Ends after the page has painted, where there is one in sight; elsewhere, once the host's other work had a turn.
pub(crate) async fn yield_to_host() {
    // On a virtual clock nothing may depend on the page.
    let is_virtual = with_loop(Loop::is_virtual);
    if let Some(window) = visible_window().filter(|_| !is_virtual) {
        next_frame(&window).await;
    }
    // The frame's callback comes before the painting, and the next hop after it.
    with_loop(Loop::leave);
    yield_now().await;
}

fn visible_window() -> Option<Window> {
    let window = js_sys::global().dyn_into::<Window>().ok()?;
    let is_visible = window.document()?.visibility_state() == VisibilityState::Visible;
    is_visible.then_some(window)
}

async fn next_frame(window: &Window) {
    let (painted, frame) = promise::<()>();
    let painted = Rc::new(RefCell::new(Some(painted)));
    // Both callbacks are called, or go with the page.
    let tell = || {
        let painted = painted.clone();
        Closure::once_into_js(move || {
            if let Some(painted) = painted.take() {
                // Nobody waits any more if the task was dropped meanwhile.
                let _ = painted.complete(());
            }
        })
    };
    if window.request_animation_frame(tell().unchecked_ref()).is_ok() {
        set_timeout(&tell(), NO_FRAME);
        let _ = frame.await;
    }
}
