//! The same on wasm-bindgen-futures and gloo-timers, whose tasks are joined through a channel.

#[cfg(all(target_family = "wasm", target_os = "unknown"))]
mod page {
    use futures_channel::oneshot;
    use std::time::Duration;
    use wasm_bindgen::prelude::wasm_bindgen;
    use wasm_bindgen_futures::spawn_local;

    #[wasm_bindgen(start)]
    pub fn main() {
        spawn_local(async {
            let (sender, task) = oneshot::channel();
            spawn_local(async {
                gloo_timers::future::sleep(Duration::from_millis(1)).await;
                let _ = sender.send(1_u32);
            });
            let _ = task.await;
        });
    }
}
