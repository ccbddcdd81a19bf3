//! Checks that there is a Python which can be embedded, and records where it is.
//!
//! Linking against a Python without a shared library fails late and with a message about symbols; this
//! fails early, and says what to install.

use std::path::Path;
use std::process::exit;

use pyo3_build_config::{InterpreterConfig, PythonImplementation, PythonVersion};

const OLDEST: PythonVersion = PythonVersion { major: 3, minor: 11 };

const REMEDY: &str = "\
Install a Python with its shared library (Debian, Ubuntu: apt-get install python3-dev; Fedora: dnf install \
python3-devel; pyenv: PYTHON_CONFIGURE_OPTS=--enable-shared pyenv install 3.13), or name another one: \
PYO3_PYTHON=/path/to/python3 cargo build";

/// Two lines: the interpreter itself (not that of a virtual environment), and its standard library.
const WHERE: &str = "
import os, sys
print(getattr(sys, '_base_executable', None) or sys.executable)
print(os.path.dirname(os.__file__))
";

fn main() {
    println!("cargo:rerun-if-changed=build.rs");
    pyo3_build_config::use_pyo3_cfgs();
    let python = pyo3_build_config::get();
    if std::env::var_os("CARGO_FEATURE_EMBED").is_none() {
        return;
    }
    if let Err(problem) = check(python) {
        eprintln!("error: {problem}. {REMEDY}");
        exit(1);
    }
    // Without this, every test and example would need LD_LIBRARY_PATH.
    pyo3_build_config::add_libpython_rpath_link_args();
    record(python);
}

fn check(python: &InterpreterConfig) -> Result<(), String> {
    let name = python.executable().unwrap_or("the configured Python");
    let version = python.version();
    if python.implementation() != PythonImplementation::CPython {
        return Err(format!("Ferry embeds CPython, and {name} is another implementation"));
    }
    if version < OLDEST {
        return Err(format!("Ferry needs Python 3.11 or newer, and {name} is {version}"));
    }
    if python.target_abi().kind().is_free_threaded() {
        return Err(format!("Ferry needs a Python with a GIL, and {name} is a free-threaded build"));
    }
    if !python.shared() {
        return Err(format!("{name} was built without a shared library"));
    }
    match (python.lib_dir(), python.lib_name()) {
        (Some(folder), Some(library)) if !holds(Path::new(folder), library) => {
            Err(format!("{name} has no lib{library}.so in {folder} to link with"))
        }
        _ => Ok(()),
    }
}

/// Whether the linker will find `-l<library>` in `folder`, under any of the names that systems give it.
fn holds(folder: &Path, library: &str) -> bool {
    ["so", "dylib", "dll.a", "tbd"].iter().any(|kind| folder.join(format!("lib{library}.{kind}")).exists())
}

/// What `interpreter::find` falls back on; empty where the build could not ask (a cross build).
fn record(python: &InterpreterConfig) {
    let answer = match python.executable() {
        Some(_) => python.run_python_script(WHERE).unwrap_or_default(),
        None => String::new(),
    };
    let mut lines = answer.lines();
    println!("cargo:rustc-env=FERRY_BUILD_PYTHON={}", lines.next().unwrap_or_default());
    println!("cargo:rustc-env=FERRY_BUILD_STDLIB={}", lines.next().unwrap_or_default());
}
