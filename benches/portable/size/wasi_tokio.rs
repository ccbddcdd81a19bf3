//! The same on tokio.

#[cfg(not(all(target_family = "wasm", target_os = "unknown")))]
fn main() {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build().expect("it starts");
    runtime.block_on(async {
        let task = tokio::spawn(async {
            tokio::time::sleep(std::time::Duration::from_millis(1)).await;
            1_u32
        });
        let _ = task.await;
    });
}

#[cfg(all(target_family = "wasm", target_os = "unknown"))]
fn main() {}
