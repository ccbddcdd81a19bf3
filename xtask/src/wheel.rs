//! The Python package as its users get it: a wheel, built by maturin, installed into a fresh virtual environment,
//! and tested there, with its type stubs.
//!
//! | wheel | is tested on | with |
//! |---|---|---|
//! | of one version | the default Python | always |
//! | abi3: of the stable ABI | each other Python found; the default one, if it's the only one | always |
//! | of one version | each other Python found | `--all` |
//!
//! All of it lies under `wheel/` in the target folder. The environment with maturin in it is kept; those that the
//! tests run in are made anew each time.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};

use crate::python::{self, Python};
use crate::sh;
use crate::stages::Stages;
use crate::venv;

const PACKAGE_FOLDER: &str = "python";
const BUILD_REQUIREMENTS: &str = "python/requirements-build.txt";
const TEST_REQUIREMENTS: &str = "python/requirements-test.txt";
const PACKAGE: &str = "asyncferry";

/// Which Pythons get a wheel of their own version.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Versions {
    Default,
    Each,
}

/// A kind of wheel.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Abi {
    /// For one version of Python, and the fastest there.
    Version,
    /// For each from 3.11 on.
    Stable,
}

impl Abi {
    fn name(self) -> &'static str {
        match self {
            Self::Version => "wheel",
            Self::Stable => "abi3 wheel",
        }
    }

    fn folder(self) -> &'static str {
        match self {
            Self::Version => "version",
            Self::Stable => "abi3",
        }
    }
}

/// Builds the wheels and tests them.
pub(crate) fn stages(stages: &mut Stages, versions: Versions) {
    let Some(default) = python::default_python() else {
        stages.run("wheel", || bail!("there is no Python to build the wheel with; install python3"));
        return;
    };
    let others: Vec<Python> =
        python::all().into_iter().filter(|python| python.minor != default.minor).collect();
    tested(stages, Abi::Version, &default, &default);
    stages.run("example extension", || try_example(&default));
    for python in if others.is_empty() { std::slice::from_ref(&default) } else { &others } {
        tested(stages, Abi::Stable, &default, python);
    }
    for python in others.iter().filter(|_| versions == Versions::Each) {
        tested(stages, Abi::Version, python, python);
    }
}

/// A stage: the wheel that `builder` builds, tested on `python`.
fn tested(stages: &mut Stages, abi: Abi, builder: &Python, python: &Python) {
    stages.run(&format!("{}, Python 3.{}", abi.name(), python.minor), || {
        let wheel = build(abi, builder, PACKAGE_FOLDER)?;
        test(abi, python, &wheel)
    });
}

/// The wheel of what is in the folder `source`, in a folder of its own.
fn build(abi: Abi, python: &Python, source: &str) -> Result<PathBuf> {
    let maturin = tools(python)?.join("bin/maturin");
    let folder = root().join(abi.folder()).join(format!("py3{}", python.minor)).join(source);
    if folder.is_dir() {
        fs::remove_dir_all(&folder).with_context(|| format!("{} can't be emptied", folder.display()))?;
    }
    let mut command = sh::command(maturin, &["build", "--release", "--locked"]);
    command.arg("--manifest-path").arg(Path::new(source).join("Cargo.toml"));
    command.arg("--interpreter").arg(&python.executable).arg("--out").arg(&folder);
    if abi == Abi::Stable {
        command.args(["--features", "abi3"]);
    }
    // What maturin sets would have the workspace's own builds begin from nothing, were they in one folder.
    command.env("CARGO_TARGET_DIR", root().join("build"));
    sh::run(&mut command)?;
    let built = fs::read_dir(&folder)?.filter_map(|entry| Some(entry.ok()?.path()));
    let wheels: Vec<PathBuf> =
        built.filter(|path| path.extension().is_some_and(|kind| kind == "whl")).collect();
    match wheels.as_slice() {
        [wheel] => Ok(wheel.clone()),
        _ => bail!("maturin built {} wheels in {}, where one was expected", wheels.len(), folder.display()),
    }
}

/// Installs `wheel` for `python` and runs the package's tests on it.
fn test(abi: Abi, python: &Python, wheel: &Path) -> Result<String> {
    let folder = environment(abi, python);
    venv::create(python, &folder)?;
    venv::pip(&folder, &["install", "--requirement", TEST_REQUIREMENTS])?;
    venv::pip(&folder, &["install", "--no-index", "--no-deps", &wheel.to_string_lossy()])?;
    let run = |arguments: &[&str]| sh::run(&mut venv::python(&folder, arguments));
    run(&["-m", "mypy.stubtest", PACKAGE])?;
    run(&["-m", "mypy", "--config-file", "python/pyproject.toml", "python/tests/typing_of_the_package.py"])?;
    let mut passed = 0;
    let mut pytest =
        venv::python(&folder, &["-m", "pytest", "--config-file", "python/pyproject.toml", "python/tests"]);
    sh::run_reading(&mut pytest, |line| passed += passed_tests(line))?;
    if passed == 0 {
        bail!("no test of the package ran");
    }
    Ok(format!("{passed} tests"))
}

/// An extension module of the users' own, beside the package: the example crate, built as its page says.
fn try_example(python: &Python) -> Result<String> {
    let example = build(Abi::Version, python, "examples/rust_extension")?;
    let folder = environment(Abi::Version, python);
    venv::pip(&folder, &["install", "--no-index", "--no-deps", &example.to_string_lossy()])?;
    sh::run(&mut venv::python(&folder, &["-X", "dev", "examples/rust_extension/try_it.py"]))?;
    Ok("try_it.py".into())
}

/// Where the wheel of this kind is tested.
fn environment(abi: Abi, python: &Python) -> PathBuf {
    root().join(format!("venv-{}-py3{}", abi.folder(), python.minor))
}

/// The environment with maturin in it.
fn tools(python: &Python) -> Result<PathBuf> {
    let folder = root().join(format!("tools-py3{}", python.minor));
    if !folder.join("bin/maturin").is_file() {
        venv::create(python, &folder)?;
        venv::pip(&folder, &["install", "--requirement", BUILD_REQUIREMENTS])?;
    }
    Ok(folder)
}

fn root() -> PathBuf {
    sh::target_dir().join("wheel")
}

/// How many tests passed, by the closing line of pytest: "==== 3 passed, 1 skipped in 0.12s ====".
fn passed_tests(line: &str) -> u64 {
    let Some((before, _)) = line.strip_prefix('=').and_then(|line| line.split_once(" passed")) else {
        return 0;
    };
    before.rsplit(' ').next().and_then(|number| number.parse().ok()).unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn closing_lines_are_counted() {
        assert_eq!(passed_tests("============ 12 passed in 0.30s ============"), 12);
        assert_eq!(passed_tests("===== 1 failed, 7 passed, 2 warnings in 0.30s ====="), 7);
        assert_eq!(passed_tests("===== no tests ran in 0.01s ====="), 0);
        assert_eq!(passed_tests("tests/test_job.py ...."), 0);
    }
}
