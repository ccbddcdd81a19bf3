//! The smallest program on Ferry that spawns, sleeps and joins, for WASI.

use asyncferry::{AsyncRuntime, sleep, spawn_local};
use std::time::Duration;

fn main() {
    AsyncRuntime::block_on(async {
        let task = spawn_local(async {
            sleep(Duration::from_millis(1)).await;
            1_u32
        });
        let _ = task.await;
    });
}
