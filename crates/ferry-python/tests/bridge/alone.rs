//! Python programs that have a process of their own, as what they do concerns all of it: the test binary runs itself as
//! the child.

use crate::{
    probe,
    program::{run, watchdog},
};
use asyncferry_python::interpreter;
use pyo3::{exceptions::PySystemExit, prelude::*};
use std::{
    env,
    process::{self, Command},
};

/// Names the program that a child is to run: that of a test, and which one.
const CHILD: &str = "FERRY_TEST_CHILD";

/// What a child exits with when its program has ended as it should. A child that found no program exits with 0.
const ENDED: i32 = 83;

/// Runs a Python program on the main thread of a Python of its own, which ends after it. What it raises, and whatever
/// the process writes to its standard error, fails the test. `test` is the path of the test that calls this, and `how`
/// is what the program knows by that name.
#[track_caller]
pub(crate) fn check_alone(test: &str, how: &str, program: &str) {
    let this = format!("{test} {how}");
    if let Ok(wanted) = env::var(CHILD) {
        if wanted == this {
            let _watched = watchdog();
            process::exit(if run_to_its_end(program, how) { ENDED } else { 1 });
        }
        return;
    }
    let child = Command::new(env::current_exe().unwrap())
        .args(["--exact", test, "--nocapture", "--quiet"])
        .env(CHILD, &this)
        .output()
        .unwrap();
    let errors = String::from_utf8_lossy(&child.stderr);
    assert_eq!(child.status.code(), Some(ENDED), "{this}: {:?}\n{errors}", child.status);
    assert_eq!(errors, "", "{this}");
}

/// Whether the program, and then Python, ended without an error. `sys.exit()` is none.
fn run_to_its_end(program: &str, how: &str) -> bool {
    probe::append_to_inittab();
    let python = interpreter::start(interpreter::Options::default()).unwrap();
    let ran = Python::attach(|py| match run(py, program, how) {
        Err(error) if !error.is_instance_of::<PySystemExit>(py) => {
            error.print(py);
            false
        }
        _ => true,
    });
    python.finish().is_ok() && ran
}
