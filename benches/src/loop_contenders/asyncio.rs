//! asyncio, in Python processes of their own, before the rounds of the others: the `python3` on the path, and
//! 3.13 beside it if there is one.

use std::{
    collections::BTreeMap,
    io::Write,
    process::{Command, Stdio},
};

/// The figures of one measurement, by contender.
pub type Figures = BTreeMap<String, f64>;

/// Runs the wanted measurements on each Python that is found, and gives the figures by measurement.
pub fn measure(known: &[&str], is_wanted: impl Fn(&str) -> bool) -> BTreeMap<String, Figures> {
    let names: Vec<_> = known.iter().copied().filter(|name| is_wanted(name)).collect();
    let mut all: BTreeMap<String, Figures> = BTreeMap::new();
    for (contender, python) in [("asyncio", "python3"), ("asyncio-3.13", "python3.13")] {
        match run(python, &names) {
            Some(figures) => {
                for (name, figure) in figures {
                    all.entry(name).or_default().insert(contender.to_owned(), figure);
                }
            }
            None => eprintln!("{python} does not run here, so there are no figures of {contender}"),
        }
    }
    all
}

/// `None` where that Python is not to be had: then the lines have no such peer.
fn run(python: &str, names: &[&str]) -> Option<BTreeMap<String, f64>> {
    let mut child = Command::new(python)
        .arg("-")
        .args(names)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .ok()?;
    child.stdin.take()?.write_all(include_bytes!("asyncio_loop.py")).ok()?;
    let output = child.wait_with_output().ok()?;
    serde_json::from_slice(&output.stdout).ok()
}
