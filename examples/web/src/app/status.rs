//! The line at the bottom: what the loop counts of itself, twice a second.

use super::page;
use asyncferry::{AsyncRuntime, interval};
use std::time::Duration;

pub(super) async fn show() {
    let mut ticks = interval(Duration::from_millis(500));
    loop {
        ticks.tick().await;
        let Some(metrics) = AsyncRuntime::metrics() else { return };
        let text = format!(
            "{} tasks, {} timers, {} polls, {:.1} ms the latest timer was late",
            metrics.tasks_live,
            metrics.timers_armed,
            metrics.polls,
            metrics.timer_lag.as_secs_f64() * 1000.0
        );
        if page::set_text("status", &text).is_err() {
            return;
        }
    }
}
