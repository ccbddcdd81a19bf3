//! What the program at a path is: which Python, of which version, with which standard library.
//!
//! Starting a Python to ask takes longer than everything else that `ferry run` does before the program's
//! first line, so files are read instead wherever they tell: `pyvenv.cfg` in a virtual environment, the
//! name `python3.N` that interpreters have, and the standard library that must lie beside them.

use std::ffi::OsStr;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use super::Version;

/// A CPython that exists, with what it needs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Found {
    /// Its path: absolute, links not followed (a virtual environment is known by the link's place).
    pub(super) executable: PathBuf,
    pub(super) version: Version,
    /// The folder that holds `os.py`.
    pub(super) stdlib: PathBuf,
}

/// Asked of an interpreter, answered in six lines. Without `site` (`-S`), which is slow and not needed.
const QUESTION: &str = "import os, sys; v = sys.version_info; print(v[0], v[1], sys.implementation.name, \
                        't' in getattr(sys, 'abiflags', ''), sys.executable, os.path.dirname(os.__file__), \
                        sep='\\n')";

/// Reads the files around `path` that tell which Python it is; `None` if they do not.
pub(super) fn by_its_files(path: &Path) -> Option<Found> {
    let (folder, version) = match environment_of(path) {
        Some(environment) => environment,
        None => {
            let real = fs::canonicalize(path).ok()?;
            (real.parent()?.to_path_buf(), version_in_name(real.file_name()?)?)
        }
    };
    let prefix = folder.parent()?;
    let stdlib = ["lib", "lib64"]
        .iter()
        .map(|lib| prefix.join(lib).join(format!("python{version}")))
        .find(|stdlib| stdlib.join("os.py").is_file())?;
    Some(Found { executable: path.to_path_buf(), version, stdlib })
}

/// Runs `path` and asks it; the error says why it is not a CPython, as the end of a sentence.
pub(super) fn by_asking(path: &Path) -> Result<Found, String> {
    let output = Command::new(path)
        .args(["-I", "-S", "-c", QUESTION])
        .stdin(Stdio::null())
        .output()
        .map_err(|error| format!("it does not start: {error}"))?;
    let text = String::from_utf8_lossy(&output.stdout);
    let lines: Vec<&str> = text.lines().collect();
    let [major, minor, implementation, free_threaded, executable, stdlib] = lines[..] else {
        return Err(no_answer(&String::from_utf8_lossy(&output.stderr)));
    };
    match (Version::new(major, minor), implementation, free_threaded) {
        (Some(version), "cpython", "False") => {
            Ok(Found { executable: executable.into(), version, stdlib: stdlib.into() })
        }
        (Some(_), "cpython", _) => Err("it is a free-threaded build".to_owned()),
        (Some(_), other, _) => Err(format!("it is {other}, not CPython")),
        (None, ..) => Err("its version makes no sense".to_owned()),
    }
}

/// What a program says that is no Python helps where it is a wrapper with a complaint of its own.
fn no_answer(said: &str) -> String {
    match said.lines().next() {
        Some(line) if !line.contains("sys.version_info") => format!("asked for its version, it said: {line}"),
        _ => "asked for its version, it did not answer as Python does".to_owned(),
    }
}

/// For the interpreter of a virtual environment: the folder of the interpreter that it was made from, and
/// the version, as `pyvenv.cfg` has them.
fn environment_of(path: &Path) -> Option<(PathBuf, Version)> {
    let bin = path.parent()?;
    let text = [bin, bin.parent()?].iter().find_map(|f| fs::read_to_string(f.join("pyvenv.cfg")).ok())?;
    let value = |key| text.lines().find_map(|line| setting(line, key));
    // venv writes `version`, virtualenv and uv write `version_info`.
    let version = value("version").or_else(|| value("version_info"))?;
    let mut numbers = version.split('.');
    let version = Version::new(numbers.next()?, numbers.next()?)?;
    Some((PathBuf::from(value("home")?), version))
}

fn setting<'line>(line: &'line str, key: &str) -> Option<&'line str> {
    let (name, value) = line.split_once('=')?;
    name.trim().eq_ignore_ascii_case(key).then_some(value.trim())
}

/// The version in `python3.N`; other names (`python3`, `python3.13t`) do not tell.
fn version_in_name(name: &OsStr) -> Option<Version> {
    let (major, minor) = name.to_str()?.strip_prefix("python")?.split_once('.')?;
    Version::new(major, minor)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_name_of_an_interpreter_tells_its_version() {
        let version = |name: &str| version_in_name(OsStr::new(name)).map(|v| v.to_string());
        assert_eq!(version("python3.11"), Some("3.11".to_owned()));
        assert_eq!(version("python3"), None);
        assert_eq!(version("python3.13t"), None);
        assert_eq!(version("bash"), None);
    }

    #[test]
    fn settings_are_read_whatever_their_spacing() {
        assert_eq!(setting("version = 3.11.7", "version"), Some("3.11.7"));
        assert_eq!(setting("Version=3.11.7", "version"), Some("3.11.7"));
        assert_eq!(setting("version_info = 3.11.7.final.0", "version"), None);
    }

    #[test]
    fn what_is_not_python_is_told_by_its_answer() {
        let error = by_asking(Path::new("/bin/ls")).expect_err("ls is no Python");
        assert_eq!(error, "asked for its version, it did not answer as Python does");
    }
}
