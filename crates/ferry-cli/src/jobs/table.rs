//! The table of jobs.

use std::time::Duration;

use comfy_table::{CellAlignment, Table, presets};

/// The jobs of one name and priority, in one pool.
pub(super) struct Row {
    pub(super) pool: String,
    pub(super) name: String,
    pub(super) priority: i64,
    /// In the order of [`COUNTS`].
    pub(super) counts: [u64; 7],
    /// In the order of [`TIMES`].
    pub(super) times: [Duration; 4],
}

const COUNTS: [&str; 7] = ["queued", "running", "waiting", "done", "failed", "cancelled", "retried"];
const TIMES: [&str; 4] = ["wait p50", "wait p99", "run p50", "run p99"];

/// A name that is longer is cut.
const LONGEST: usize = 40;

pub(super) fn draw(rows: &[Row]) -> String {
    if rows.is_empty() {
        return "no jobs".to_owned();
    }
    let mut table = Table::new();
    table.load_preset(presets::NOTHING);
    table.set_header(["pool", "job", "priority"].into_iter().chain(COUNTS).chain(TIMES));
    for row in rows {
        let counts = row.counts.iter().map(ToString::to_string);
        let times = row.times.iter().map(|time| shown(*time));
        let first = [cut(&row.pool), cut(&row.name), row.priority.to_string()];
        table.add_row(first.into_iter().chain(counts).chain(times));
    }
    for column in table.column_iter_mut().skip(2) {
        column.set_cell_alignment(CellAlignment::Right);
    }
    table.trim_fmt()
}

fn cut(name: &str) -> String {
    match name.char_indices().nth(LONGEST) {
        Some((end, _)) => format!("{}…", &name[..end]),
        None => name.to_owned(),
    }
}

/// Three digits or so are enough.
fn shown(time: Duration) -> String {
    if time >= Duration::from_secs(1) { format!("{time:.2?}") } else { format!("{time:.1?}") }
}
