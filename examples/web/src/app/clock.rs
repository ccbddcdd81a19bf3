//! A stop watch: an interval of 100 ms in a task, which a button cancels.

use super::page;
use asyncferry::{Instant, TaskHandle, interval, spawn_local};
use std::{cell::RefCell, rc::Rc, time::Duration};
use wasm_bindgen::JsValue;

pub(super) fn listen() -> Result<(), JsValue> {
    let running = Rc::new(RefCell::new(None::<TaskHandle<Result<(), JsValue>>>));
    let task = running.clone();
    page::on_click("clock-start", move || {
        let before = task.replace(Some(spawn_local(run())));
        if let Some(before) = before {
            before.cancel("started anew");
        }
    })?;
    page::on_click("clock-stop", move || {
        if let Some(task) = running.take() {
            task.cancel("stopped");
            // The task's end is what shows that it was stopped, not the click.
            drop(spawn_local(async move {
                let stopped = task.await.is_err();
                page::set_state("clock-state", if stopped { "stopped" } else { "ended" }, "idle")
            }));
        }
    })
}

async fn run() -> Result<(), JsValue> {
    page::set_state("clock-state", "running", "busy")?;
    let start = Instant::now();
    let mut ticks = interval(Duration::from_millis(100));
    loop {
        let elapsed = ticks.tick().await - start;
        page::set_text("clock-time", &format!("{:.1} s", elapsed.as_secs_f64()))?;
    }
}
