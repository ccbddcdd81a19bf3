//! Tasks that run beside the program: kept, named, and reported when they fail.
//!
//!     cargo run -p asyncferry --example background_tasks
//!
//! The wrong way is `drop(spawn(might_fail()))`: the error is dropped with the handle, and the program's end cuts off
//! whatever still runs.

use asyncferry::{AsyncRuntime, patterns::BackgroundTasks, sleep};
use std::{
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

async fn refresh_cache() -> Result<(), std::io::Error> {
    sleep(Duration::from_millis(50)).await;
    Ok(())
}

async fn send_mail() -> Result<(), std::io::Error> {
    sleep(Duration::from_millis(20)).await;
    Err(std::io::Error::other("no such host"))
}

async fn count_users() -> Result<(), std::io::Error> {
    sleep(Duration::from_millis(30)).await;
    panic!("there are no users")
}

async fn watch_files() -> Result<(), std::io::Error> {
    std::future::pending().await
}

pub(crate) async fn demo() -> Vec<String> {
    let log = Arc::new(Mutex::new(Vec::new()));
    let say = {
        let log = log.clone();
        move |line| log.lock().unwrap_or_else(PoisonError::into_inner).push(line)
    };
    let report = say.clone();
    // Without this, failures are told on stderr.
    let background = BackgroundTasks::with_limit(100)
        .on_failure(move |name, error| report(format!("{name} failed: {error}")));
    let started = [
        background.spawn("refresh_cache", refresh_cache()),
        background.spawn("send_mail", send_mail()),
        background.spawn("count_users", count_users()),
        background.spawn("watch_files", watch_files()),
    ];
    for refused in started.into_iter().filter_map(Result::err) {
        say(refused.to_string());
    }
    say(format!("running: {}", background.names().join(", ")));
    say(background.drain(Duration::from_millis(200)).await.to_string());
    std::mem::take(&mut *log.lock().unwrap_or_else(PoisonError::into_inner))
}

fn main() {
    AsyncRuntime::block_on(demo()).iter().for_each(|line| println!("{line}"));
}
