//! `cargo xtask test`: the tests of the workspace, and with `--all` the slower ways of running them.
//!
//! | stage | with | what it shows |
//! |---|---|---|
//! | tests | always | unit, integration and doc tests of every crate |
//! | conformance | always | one suite on each platform; see [`platforms`] |
//! | npm package | always | the package for JavaScript, installed and tested in Node, and its types |
//! | examples/web | always | the page, used in a real browser |
//! | wheels | always | the Python package as it's installed; see [`wheel`] |
//! | loom models | `--all` | the lock-free parts under every interleaving, up to a bound |
//! | Miri | `--all` | no undefined behaviour in the unit tests of the core crate, nor in Wren's tests of its API |
//! | tests, Python 3.x | `--all` | the same tests on each other Python found |
//! | core alone | `--all` | crate `asyncferry` builds without the features of its neighbours |
//!
//! Test programs find libpython through the rpath that each crate's build script gives the linker, doc tests
//! included, so nothing here sets LD_LIBRARY_PATH.

use std::env;
use std::path::Path;
use std::process::Command;

use anyhow::{Result, bail};

use crate::npm;
use crate::platforms;
use crate::python::{self, Python};
use crate::sh;
use crate::stages::{AfterFailure, Stages};
use crate::web;
use crate::wheel::{self, Versions};

/// How many times loom may preempt a thread in one execution; 3 finds nearly all bugs at a bearable price.
const LOOM_MAX_PREEMPTIONS: &str = "3";

/// Loom's models are the unit tests whose path has this word.
const LOOM_FILTER: &str = "loom";

/// Puts loom's primitives under the core crate; a name of our own, as tokio changes under plain `loom`.
const LOOM_FLAG: &str = "--cfg ferry_loom";

const MIRI_FLAGS: &str = "-Zmiri-disable-isolation";

/// What follows `cargo miri`: unit tests of the core crate only, as Miri cannot enter CPython.
const MIRI_TEST: &[&str] = &["test", "-p", "asyncferry", "--lib"];

/// Wren's values are addresses hidden in numbers.
const MIRI_FLAGS_WREN: &str = "-Zmiri-disable-isolation -Zmiri-permissive-provenance";

const MIRI_WREN: &[&str] = &["test", "-p", "asyncferry-wren-vm", "--lib", "--test", "api"];

const CORE_TARGET: &str = "x86_64-unknown-linux-gnu";

/// The network is a feature that no other crate of the workspace wants.
pub(crate) const NET: &str = "asyncferry/net";

/// Runs `cargo xtask test [--all] [--fail-fast]`.
pub(crate) fn run(options: &[&str]) -> Result<()> {
    let mut all = false;
    let mut after_failure = AfterFailure::Continue;
    for option in options {
        match *option {
            "--all" => all = true,
            "--fail-fast" => after_failure = AfterFailure::Stop,
            unknown => bail!("test takes --all and --fail-fast, but was given `{unknown}`."),
        }
    }
    let mut stages = Stages::new(after_failure);
    workspace(&mut stages);
    platforms::stages(&mut stages);
    npm::stage(&mut stages);
    web::stage(&mut stages);
    wheel::stages(&mut stages, if all { Versions::Each } else { Versions::Default });
    if all {
        loom(&mut stages);
        miri(&mut stages);
        other_pythons(&mut stages);
        core_alone(&mut stages);
    }
    stages.finish()
}

/// The stage that `cargo xtask ci` has too: every test of the workspace on the default Python.
pub(crate) fn workspace(stages: &mut Stages) {
    let after_failure = stages.after_failure();
    stages.run("tests", || run_tests(&mut workspace_tests(after_failure)));
}

fn loom(stages: &mut Stages) {
    stages.run("loom models", || {
        let mut command = sh::cargo(&["test", "--release", "-p", "asyncferry", "--lib", LOOM_FILTER]);
        let flags = env::var("RUSTFLAGS").unwrap_or_default();
        command
            .env("RUSTFLAGS", format!("{flags} {LOOM_FLAG}").trim_start())
            .env("CARGO_TARGET_DIR", sh::target_dir().join("loom"));
        if env::var_os("LOOM_MAX_PREEMPTIONS").is_none() {
            command.env("LOOM_MAX_PREEMPTIONS", LOOM_MAX_PREEMPTIONS);
        }
        run_tests(&mut command)
    });
}

fn miri(stages: &mut Stages) {
    if let Err(reason) = miri_is_ready() {
        stages.leave_out("Miri", reason);
        return;
    }
    stages.run("Miri", || {
        let mut command = sh::command("rustup", &["run", "nightly", "cargo", "miri"]);
        run_tests(command.args(MIRI_TEST).env("MIRIFLAGS", MIRI_FLAGS))
    });
    stages.run("Miri, Wren", || {
        let mut command = sh::command("rustup", &["run", "nightly", "cargo", "miri"]);
        run_tests(command.args(MIRI_WREN).env("MIRIFLAGS", MIRI_FLAGS_WREN))
    });
}

/// Adds Miri's components to the nightly toolchain; the error is why Miri cannot run here.
fn miri_is_ready() -> Result<(), &'static str> {
    if sh::output(&mut sh::command("rustup", &["--version"])).is_none() {
        return Err("it needs a nightly toolchain, which rustup installs, and there is no rustup");
    }
    if sh::output(&mut sh::command("rustup", &["run", "nightly", "rustc", "--version"])).is_none() {
        return Err("there is no nightly toolchain; `rustup toolchain install nightly` installs it");
    }
    let told = "rustup could not add the components miri and rust-src to the nightly toolchain; see above";
    let add = ["component", "add", "miri", "rust-src", "--toolchain", "nightly"];
    sh::run(&mut sh::command("rustup", &add)).map_err(|_| told)
}

fn other_pythons(stages: &mut Stages) {
    let default = python::default_python().map(|python| python.minor);
    let after_failure = stages.after_failure();
    for python in python::all().iter().filter(|python| Some(python.minor) != default) {
        let name = format!("tests, Python 3.{}", python.minor);
        if python.shared {
            stages.run(&name, || run_tests(&mut tests_on(python, after_failure)));
        } else {
            let reason = format!("{} was built without --enable-shared", python.executable.display());
            stages.leave_out(&name, &reason);
        }
    }
}

fn tests_on(python: &Python, after_failure: AfterFailure) -> Command {
    let mut command = workspace_tests(after_failure);
    command
        .env("PYO3_PYTHON", &python.executable)
        .env("CARGO_TARGET_DIR", sh::target_dir().join(format!("py3{}", python.minor)));
    command
}

fn core_alone(stages: &mut Stages) {
    let name = format!("core alone, {CORE_TARGET}");
    let libraries =
        sh::output(&mut sh::command("rustc", &["--print", "target-libdir", "--target", CORE_TARGET]));
    if !libraries.is_some_and(|folder| Path::new(&folder).is_dir()) {
        let reason = format!("that target is not installed; `rustup target add {CORE_TARGET}` installs it");
        stages.leave_out(&name, &reason);
        return;
    }
    stages.run(&name, || {
        let check = ["check", "-p", "asyncferry", "--no-default-features", "--target", CORE_TARGET];
        sh::run(&mut sh::cargo(&check))?;
        Ok(String::new())
    });
}

fn workspace_tests(after_failure: AfterFailure) -> Command {
    let mut command = sh::cargo(&["test", "--workspace", "--features", NET]);
    if after_failure == AfterFailure::Continue {
        command.arg("--no-fail-fast");
    }
    command
}

/// Runs a `cargo test` and tells how many tests passed. A run of no test at all is an error: a filter that
/// matches nothing would otherwise pass for ever.
pub(crate) fn run_tests(command: &mut Command) -> Result<String> {
    let mut passed = 0;
    sh::run_reading(command, |line| passed += passed_tests(line))?;
    match passed {
        0 => bail!("no test ran"),
        passed => Ok(format!("{passed} tests")),
    }
}

/// How many tests passed, by a closing line of libtest: "test result: ok. 3 passed; 0 failed; ...".
fn passed_tests(line: &str) -> u64 {
    let Some(counts) = line.strip_prefix("test result: ") else { return 0 };
    let Some((before, _)) = counts.split_once(" passed") else { return 0 };
    before.rsplit(' ').next().and_then(|number| number.parse().ok()).unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn closing_lines_are_counted() {
        assert_eq!(passed_tests("test result: ok. 12 passed; 0 failed; 1 ignored; 0 measured"), 12);
        assert_eq!(passed_tests("test result: FAILED. 7 passed; 1 failed; 0 ignored"), 7);
        assert_eq!(passed_tests("test a::b ... ok"), 0);
        assert_eq!(passed_tests("note: test result: ok. 12 passed"), 0);
    }

    #[test]
    fn a_run_without_tests_fails() {
        assert_eq!(run_tests(&mut sh::cargo(&["--version"])).unwrap_err().to_string(), "no test ran");
    }

    #[test]
    fn an_unknown_option_is_named() {
        let error = run(&["--quick"]).unwrap_err().to_string();
        assert_eq!(error, "test takes --all and --fail-fast, but was given `--quick`.");
    }

    #[test]
    fn each_python_has_a_target_folder_of_its_own() {
        let python = Python { minor: 12, shared: true, executable: "/opt/python3.12".into() };
        let command = tests_on(&python, AfterFailure::Stop);
        let target = sh::target_dir().join("py312");
        let value =
            |name: &str| command.get_envs().find(|(key, _)| *key == name).and_then(|(_, value)| value);
        assert_eq!(value("CARGO_TARGET_DIR"), Some(target.as_os_str()));
        assert_eq!(value("PYO3_PYTHON"), Some("/opt/python3.12".as_ref()));
    }
}
