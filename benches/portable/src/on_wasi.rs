//! WASI: Ferry's loop and tokio's current-thread runtime.

use crate::contend::NAMES;

mod ferry {
    use asyncferry::{sync::Queue, *};
    use std::sync::Arc;

    contend! {
        now: std::time::Instant,
        spawn: |future| spawn_local(future),
        yield_now: yield_now(),
        sleep: |duration| sleep(duration),
        channel: |room| { let queue = Arc::new(Queue::new(room)); (queue.clone(), queue) },
        put: |sender, item| sender.put(item).await.expect("it's open"),
        get: |receiver| receiver.get().await.expect("it's open"),
    }

    pub(super) fn run(name: &str) -> f64 {
        AsyncRuntime::block_on(measure(name))
    }
}

mod tokio_ct {
    use tokio::{sync::mpsc, task::yield_now, time::sleep};

    contend! {
        now: std::time::Instant,
        spawn: |future| tokio::spawn(future),
        yield_now: yield_now(),
        sleep: |duration| sleep(duration),
        channel: |room| mpsc::channel(room),
        put: |sender, item| sender.send(item).await.expect("it's open"),
        get: |receiver| receiver.recv().await.expect("it's open"),
    }

    pub(super) fn run(name: &str) -> f64 {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build().expect("it starts");
        runtime.block_on(async {
            let name = name.to_owned();
            tokio::spawn(async move { measure(&name).await }).await.expect("it ends")
        })
    }
}

/// Prints a figure a line: measurement, contender, nanoseconds. The contenders take turns.
pub fn print_figures(rounds: u32) {
    for name in NAMES {
        for round in 0..=rounds {
            for (contender, run) in [("ferry", ferry::run as fn(&str) -> f64), ("tokio", tokio_ct::run)] {
                let figure = run(name);
                // The first round warms up.
                if round > 0 {
                    println!("{name} {contender} {figure}");
                }
            }
        }
    }
}
