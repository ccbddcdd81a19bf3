//! The browser and Node: one loop for the page, on which each test is a task.

use asyncferry::js;
use std::future::Future;
use wasm_bindgen::JsValue;
pub use wasm_bindgen_test;

/// Whether there are WebSockets here: Node has them from 22 on.
pub fn has_websockets() -> bool {
    js_sys::Reflect::has(&js_sys::global(), &"WebSocket".into()).unwrap_or(false)
}

/// A number that no other run has.
pub fn random() -> u64 {
    js_sys::Math::random().to_bits()
}

/// Runs `test` as a task of the page's loop.
pub async fn run(test: impl Future<Output = ()> + 'static) {
    let ended = js::to_promise(async {
        test.await;
        Ok(JsValue::UNDEFINED)
    });
    if let Err(error) = js::JsFuture::from(ended).await {
        panic!("{error:?}");
    }
}

/// A test on the real clock.
#[macro_export]
macro_rules! real_clock {
    ($body:expr) => {
        #[$crate::platform::wasm_bindgen_test::wasm_bindgen_test(crate = $crate::platform::wasm_bindgen_test)]
        async fn real_clock() {
            $crate::platform::run($body).await;
        }
    };
}

/// A test on the virtual clock.
#[macro_export]
macro_rules! virtual_clock {
    ($body:expr) => {
        #[$crate::platform::wasm_bindgen_test::wasm_bindgen_test(crate = $crate::platform::wasm_bindgen_test)]
        fn virtual_clock() {
            asyncferry::AsyncRuntime::block_on_virtual(asyncferry::Order::Fifo, $body);
        }
    };
}

/// A test that starts loops itself.
#[macro_export]
macro_rules! plain {
    ($body:block) => {
        #[$crate::platform::wasm_bindgen_test::wasm_bindgen_test(crate = $crate::platform::wasm_bindgen_test)]
        fn plain() $body
    };
}
