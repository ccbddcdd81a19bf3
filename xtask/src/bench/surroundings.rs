//! What a benchmark is run in: the Python that it's built for, and an environment with the packages that it needs.

use std::ffi::OsString;
use std::path::Path;

use anyhow::Result;

use crate::python::{self, Python};
use crate::sh;
use crate::venv;

/// The benchmarks that run on several Pythons.
const ON_PYTHONS: &[&str] = &["bridge", "effects", "jobs_python", "sync_python"];

const REQUIREMENTS: &str = "benches/requirements.txt";

/// Variables of the environment to run a benchmark with.
pub(super) struct Surroundings {
    pub(super) variables: Vec<(&'static str, OsString)>,
}

/// Those that the benchmark `name` is run in, one after the other.
pub(super) fn of(name: &str) -> Result<Vec<Surroundings>> {
    if !ON_PYTHONS.contains(&name) {
        return Ok(vec![Surroundings { variables: Vec::new() }]);
    }
    let all: Vec<Python> = python::all().into_iter().filter(|python| python.shared).collect();
    ends(&all).into_iter().map(on).collect()
}

/// The first and the last, which may be the same.
fn ends<T>(all: &[T]) -> Vec<&T> {
    match all {
        [first, .., last] => vec![first, last],
        few => few.iter().collect(),
    }
}

fn on(python: &Python) -> Result<Surroundings> {
    let target = sh::root().join("benches/target").join(format!("py3{}", python.minor));
    let environment = target.join("venv");
    // What it was made for stands in it.
    let requirements = std::fs::read_to_string(sh::root().join(REQUIREMENTS))?;
    if std::fs::read_to_string(environment.join("ready")).ok().as_ref() != Some(&requirements) {
        venv::create(python, &environment)?;
        venv::pip(&environment, &["install", "--requirement", REQUIREMENTS])?;
        std::fs::write(environment.join("ready"), requirements)?;
    }
    Ok(Surroundings {
        variables: vec![
            ("PYO3_PYTHON", python.executable.clone().into()),
            ("CARGO_TARGET_DIR", target.clone().into()),
            ("VIRTUAL_ENV", absolute(&environment)),
        ],
    })
}

fn absolute(folder: &Path) -> OsString {
    std::path::absolute(folder).unwrap_or_else(|_| folder.to_path_buf()).into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_ends_of_a_list_are_its_first_and_last() {
        assert_eq!(ends(&[11, 12, 13]), [&11, &13]);
        assert_eq!(ends(&[11, 13]), [&11, &13]);
        assert_eq!(ends(&[11]), [&11]);
        assert!(ends::<u32>(&[]).is_empty());
    }

    #[test]
    fn what_needs_no_python_runs_once_as_it_is() {
        let all = of("loop").unwrap();
        assert_eq!(all.len(), 1);
        assert!(all[0].variables.is_empty());
    }
}
