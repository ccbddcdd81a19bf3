//! The smallest program on Ferry that spawns, sleeps and joins, for a page.

#[cfg(all(target_family = "wasm", target_os = "unknown"))]
mod page {
    use std::time::Duration;
    use wasm_bindgen::prelude::wasm_bindgen;

    #[wasm_bindgen(start)]
    pub fn main() {
        asyncferry::AsyncRuntime::run(async {
            let task = asyncferry::spawn_local(async {
                asyncferry::sleep(Duration::from_millis(1)).await;
                1_u32
            });
            let _ = task.await;
        });
    }
}
