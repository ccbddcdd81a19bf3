//! The suite in wasmtime, which comes as a Python package into an environment of its own.

use std::fs;
use std::path::PathBuf;

use anyhow::{Context, Result};

use super::{Server, WREN, WREN_ASYNC, has_target, run_on, suite_for};
use crate::stages::Stages;
use crate::test::run_tests;
use crate::{python, sh, venv};

const REQUIREMENTS: &str = "tests/conformance/runner/requirements.txt";
const RUNNER: &str = "tests/conformance/runner/wasi.py";

pub(super) fn stages(stages: &mut Stages, server: &Server) {
    for (version, target) in [("0.1", "wasm32-wasip1"), ("0.2", "wasm32-wasip2")] {
        let name = format!("conformance, WASI {version}");
        match has_target(target).and_then(|()| runner()) {
            Ok(runner) => stages.run(&name, || run_tests(&mut suite_for(target, &runner, server))),
            Err(error) => stages.leave_out(&name, &format!("{error:#}")),
        }
    }
    for (name, tests) in [("Wren, WASI 0.1", WREN), ("Wren's fibers, WASI 0.1", WREN_ASYNC)] {
        let target = "wasm32-wasip1";
        match has_target(target).and_then(|()| runner()) {
            Ok(runner) => stages.run(name, || {
                let mut command = sh::cargo(tests);
                run_on(&mut command, target, &runner);
                run_tests(&mut command)
            }),
            Err(error) => stages.leave_out(name, &format!("{error:#}")),
        }
    }
}

/// The command that runs a WASI program.
pub(crate) fn runner() -> Result<String> {
    let folder = environment()?;
    Ok(format!("{} {}", folder.join("bin/python").display(), sh::root().join(RUNNER).display()))
}

/// An environment with wasmtime in it, made anew when the requirements change.
fn environment() -> Result<PathBuf> {
    let folder = sh::target_dir().join("wasi/venv");
    let wanted = fs::read_to_string(sh::root().join(REQUIREMENTS)).context(REQUIREMENTS)?;
    let mark = folder.join("installed.txt");
    if fs::read_to_string(&mark).is_ok_and(|installed| installed == wanted) {
        return Ok(folder);
    }
    let python = python::default_python().context("wasmtime's Python package needs python3")?;
    venv::create(&python, &folder)?;
    venv::pip(&folder, &["install", "--requirement", REQUIREMENTS])
        .context("wasmtime could not be installed")?;
    fs::write(mark, wanted)?;
    Ok(folder)
}
