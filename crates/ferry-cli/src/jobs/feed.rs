//! The feed: what a program's pools have counted, as lines of JSON on a socket; its sender is in the program's process.

use std::io::{self, Write};
use std::os::unix::net::UnixStream;
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;
use std::time::Duration;

use asyncferry::jobs::{keep_metrics, kept_metrics};
use serde_json::{Value, json};

use super::table::Row;

/// How often the counts are sent.
const EVERY: Duration = Duration::from_millis(100);

/// The way to whoever hears of the counts.
pub(crate) struct Feed(Arc<Mutex<UnixStream>>);

impl Feed {
    /// Sends what was counted in the end, where there is no Python to do it at its exit.
    pub(crate) fn end(&self) {
        // Nobody listens any more, if it fails.
        let _ = send(&self.0);
    }
}

/// Sends what this process counts to the socket at `path`, until the process ends.
pub(crate) fn start(path: &Path) -> io::Result<Feed> {
    keep_metrics();
    let stream = Arc::new(Mutex::new(UnixStream::connect(path)?));
    let feed = Feed(stream.clone());
    let at_exit = stream.clone();
    asyncferry_python::at_exit(move || drop(send(&at_exit)));
    thread::Builder::new().name("ferry-jobs-feed".to_owned()).spawn(move || {
        // When nobody listens any more, it ends.
        while send(&stream).is_ok() {
            thread::sleep(EVERY);
        }
    })?;
    Ok(feed)
}

fn send(stream: &Mutex<UnixStream>) -> io::Result<()> {
    let line = format!("{}\n", written());
    stream.lock().unwrap_or_else(PoisonError::into_inner).write_all(line.as_bytes())
}

fn written() -> Value {
    let rows = kept_metrics().into_iter().flat_map(|pool| {
        let name = pool.pool;
        pool.jobs.into_iter().map(move |row| {
            let counts = [row.queued, row.running, row.waiting, row.done, row.failed, row.cancelled, row.retried];
            let times = [row.wait_p50, row.wait_p99, row.run_p50, row.run_p99].map(|time| time.as_nanos() as u64);
            json!({"pool": &*name, "name": &*row.name, "priority": row.priority, "counts": counts, "times": times})
        })
    });
    rows.collect()
}

/// What a line says.
pub(super) fn read(line: &str) -> Option<Vec<Row>> {
    let rows: Value = serde_json::from_str(line).ok()?;
    rows.as_array()?.iter().map(row).collect()
}

fn row(row: &Value) -> Option<Row> {
    let numbers =
        |name: &str| -> Option<Vec<u64>> { row[name].as_array()?.iter().map(Value::as_u64).collect() };
    Some(Row {
        pool: row["pool"].as_str()?.to_owned(),
        name: row["name"].as_str()?.to_owned(),
        priority: row["priority"].as_i64()?,
        counts: numbers("counts")?.try_into().ok()?,
        times: numbers("times")?.into_iter().map(Duration::from_nanos).collect::<Vec<_>>().try_into().ok()?,
    })
}
