//! `cargo xtask bench [NAME] [ARGS...]`: runs Ferry's benchmarks beside their peers.
//!
//! A benchmark is a program in `benches/src/bin`, [`portable`] or [`wren`]. It prints one JSON object a line; these go to standard
//! output as they come, and a table of them to standard error at the end. A goal that is missed is shown,
//! not an error: times are never asserted. A name runs the parts of that benchmark in other languages as well:
//! `sync` stands for `sync` and `sync_python`.
//!
//! What is measured under Python runs on the oldest and the newest one found, in environments that have the other
//! event loops too.

mod line;
mod portable;
mod surroundings;
mod table;
mod wren;

use std::fs;
use std::path::Path;

use anyhow::{Context, Result, bail};

use crate::sh;
use line::Line;
use surroundings::Surroundings;

/// The one on other platforms, which is no program of `benches/src/bin`; see [`portable`].
const PORTABLE: &str = "portable";

/// That of Wren's machines, which has peers of its own; see [`wren`].
const WREN: &str = "wren";

/// That of async calls from scripts, beside it.
const WREN_ASYNC: &str = "wren-async";

/// Runs the benchmark named first in `arguments`, or all; what follows the name goes to the benchmark.
pub(crate) fn run(arguments: &[&str]) -> Result<()> {
    let mut known = names(&sh::root().join("benches/src/bin"))?;
    known.extend([PORTABLE, WREN, WREN_ASYNC].map(str::to_owned));
    let (chosen, rest) = choose(&known, arguments)?;
    let mut lines = Vec::new();
    let mut faults = Vec::new();
    for name in chosen {
        if name == PORTABLE {
            faults.extend(portable::run(&mut lines).err().map(|error| format!("{error:#}")));
            continue;
        }
        if name == WREN_ASYNC {
            faults.extend(wren::run_async(rest, &mut lines).err().map(|error| format!("{error:#}")));
            continue;
        }
        if name == WREN {
            faults.extend(wren::run(rest, &mut lines).err().map(|error| format!("{error:#}")));
            continue;
        }
        let ran = surroundings::of(name).and_then(|all| {
            all.iter().try_for_each(|python| run_one(name, rest, python, &mut lines, &mut faults))
        });
        if let Err(error) = ran {
            faults.push(format!("{error:#}"));
        }
    }
    eprint!("{}", table::render(&lines));
    if !faults.is_empty() {
        bail!("{}", faults.join("\n"));
    }
    Ok(())
}

fn run_one(
    name: &str,
    rest: &[&str],
    surroundings: &Surroundings,
    lines: &mut Vec<Line>,
    faults: &mut Vec<String>,
) -> Result<()> {
    let arguments = ["run", "--release", "--manifest-path", "benches/Cargo.toml", "--bin", name, "--"];
    let before = lines.len();
    let mut command = sh::cargo(&arguments);
    sh::run_reading(command.args(rest).envs(surroundings.variables.iter().cloned()), |text| {
        if text.starts_with('{') {
            match Line::parse(text) {
                Ok(line) => lines.push(line),
                Err(error) => {
                    faults.push(format!("a line of benchmark {name} cannot be read: {error:#}\n  {text}"))
                }
            }
        }
    })?;
    if lines.len() == before && faults.is_empty() {
        bail!("benchmark {name} printed no figures");
    }
    Ok(())
}

/// The benchmarks to run and what to pass them. Arguments may follow without a name: `bench --quick`.
fn choose<'a>(known: &'a [String], arguments: &'a [&'a str]) -> Result<(Vec<&'a str>, &'a [&'a str])> {
    match arguments {
        [name, rest @ ..] if !name.starts_with('-') => {
            let all = known.iter().map(String::as_str);
            let mut chosen: Vec<_> = all.filter(|known| is_part(known, name)).collect();
            if !chosen.contains(name) {
                bail!("there is no benchmark `{name}`; there are: {}.", known.join(", "));
            }
            // Names of measurements are those of one program.
            if !rest.is_empty() {
                chosen.retain(|known| known == name);
            }
            Ok((chosen, rest))
        }
        rest => Ok((known.iter().map(String::as_str).collect(), rest)),
    }
}

/// Whether the program `known` is the benchmark `name`, or its part in another language: `sync_python` is one of `sync`.
fn is_part(known: &str, name: &str) -> bool {
    known.strip_prefix(name).is_some_and(|rest| rest.is_empty() || rest.starts_with('_'))
}

/// The names of the programs in `folder`, in order.
fn names(folder: &Path) -> Result<Vec<String>> {
    let entries = fs::read_dir(folder).with_context(|| format!("no benchmarks in {}", folder.display()))?;
    let mut names = Vec::new();
    for entry in entries {
        let path = entry?.path();
        if path.extension().is_some_and(|extension| extension == "rs") {
            names.extend(path.file_stem().map(|stem| stem.to_string_lossy().into_owned()));
        }
    }
    names.sort();
    Ok(names)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(arguments: &[&str], expected: Result<(&[&str], &[&str]), &str>) {
        let known = ["bridge", "loop", "sync", "sync_python"].map(str::to_owned);
        match (choose(&known, arguments), expected) {
            (Ok((names, rest)), Ok(expected)) => assert_eq!((names.as_slice(), rest), expected),
            (Err(error), Err(expected)) => assert_eq!(error.to_string(), expected),
            (got, expected) => panic!("{got:?} is not {expected:?}"),
        }
    }

    #[test]
    fn a_name_picks_one_and_none_picks_all() {
        check(&[], Ok((&["bridge", "loop", "sync", "sync_python"], &[])));
        check(&["loop"], Ok((&["loop"], &[])));
        check(&["loop", "--rounds", "3"], Ok((&["loop"], &["--rounds", "3"])));
        check(&["--rounds", "3"], Ok((&["bridge", "loop", "sync", "sync_python"], &["--rounds", "3"])));
        check(&["loops"], Err("there is no benchmark `loops`; there are: bridge, loop, sync, sync_python."));
    }

    #[test]
    fn a_name_picks_its_parts_too_unless_a_measurement_is_named() {
        check(&["sync"], Ok((&["sync", "sync_python"], &[])));
        check(&["sync", "queue_128"], Ok((&["sync"], &["queue_128"])));
        check(&["sync_python", "queue"], Ok((&["sync_python"], &["queue"])));
    }
}
