//! Finding the Python interpreters that Ferry's tests can be built against: on PATH and under pyenv.

use std::env;
use std::ffi::OsString;
use std::fs;
use std::path::{Path, PathBuf};

use crate::sh;

/// Minor versions of Python 3 that Ferry supports; from 3.11 on.
const MINORS: std::ops::RangeInclusive<u32> = 11..=14;

/// Prints the version, whether there is a shared library, and the interpreter's own path (a pyenv shim's
/// path would depend on the folder that it is started from).
const PROBE: &str = "import sys, sysconfig as s; print('%d.%d' % sys.version_info[:2], \
    int(bool(s.get_config_var('Py_ENABLE_SHARED'))), sys.executable)";

/// An interpreter which runs.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Python {
    pub(crate) minor: u32,
    /// Whether it has a libpython that a program can be linked to.
    pub(crate) shared: bool,
    pub(crate) executable: PathBuf,
}

/// The interpreter that a plain build uses: what PyO3 picks from the environment.
pub(crate) fn default_python() -> Option<Python> {
    let asked = env::var_os("PYO3_PYTHON");
    let active = env::var_os("VIRTUAL_ENV").map(|folder| Path::new(&folder).join("bin/python").into());
    asked.or(active).into_iter().chain(["python".into(), "python3".into()]).find_map(probe)
}

/// One interpreter a minor version: from PATH, or else the newest of pyenv's; with a shared library, if
/// any of that version has one.
pub(crate) fn all() -> Vec<Python> {
    MINORS
        .filter_map(|minor| {
            let on_path = OsString::from(format!("python3.{minor}"));
            let candidates = [on_path].into_iter().chain(pyenv_interpreters(minor));
            let mut found: Vec<Python> =
                candidates.filter_map(probe).filter(|python| python.minor == minor).collect();
            found.sort_by_key(|python| !python.shared);
            found.into_iter().next()
        })
        .collect()
}

/// pyenv's interpreters of Python 3.`minor`, newest first.
fn pyenv_interpreters(minor: u32) -> Vec<OsString> {
    let pyenv = env::var_os("PYENV_ROOT")
        .map(PathBuf::from)
        .or_else(|| env::var_os("HOME").map(|home| Path::new(&home).join(".pyenv")));
    let Some(versions) = pyenv.and_then(|folder| fs::read_dir(folder.join("versions")).ok()) else {
        return Vec::new();
    };
    let mut found: Vec<(u32, OsString)> = versions
        .flatten()
        .filter_map(|entry| {
            let patch = patch_number(entry.file_name().to_str()?, minor)?;
            Some((patch, entry.path().join(format!("bin/python3.{minor}")).into()))
        })
        .collect();
    found.sort_by_key(|(patch, _)| std::cmp::Reverse(*patch));
    found.into_iter().map(|(_, interpreter)| interpreter).collect()
}

/// The 7 of "3.11.7" where `minor` is 11; nothing for other versions and for virtual environments.
fn patch_number(folder: &str, minor: u32) -> Option<u32> {
    folder.strip_prefix(&format!("3.{minor}."))?.parse().ok()
}

fn probe(interpreter: OsString) -> Option<Python> {
    parse_probe(&sh::output(&mut sh::command(interpreter, &["-c", PROBE]))?)
}

fn parse_probe(text: &str) -> Option<Python> {
    let mut words = text.splitn(3, ' ');
    let minor = words.next()?.strip_prefix("3.")?.parse().ok()?;
    Some(Python { minor, shared: words.next()? == "1", executable: words.next()?.into() })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_probe_tells_version_library_and_path() {
        let expected = Python { minor: 12, shared: true, executable: "/a folder/python3.12".into() };
        assert_eq!(parse_probe("3.12 1 /a folder/python3.12"), Some(expected));
        assert_eq!(parse_probe("3.13 0 /p").map(|python| python.shared), Some(false));
        assert_eq!(parse_probe("2.7 1 /p"), None);
        assert_eq!(parse_probe(""), None);
    }

    #[test]
    fn only_releases_of_the_asked_version_count() {
        assert_eq!(patch_number("3.11.7", 11), Some(7));
        assert_eq!(patch_number("3.11.7", 1), None);
        assert_eq!(patch_number("3.1.7", 11), None);
        assert_eq!(patch_number("3.13.0rc1", 13), None);
        assert_eq!(patch_number("my-venv", 11), None);
    }

    #[test]
    fn what_does_not_run_is_not_a_python() {
        assert_eq!(probe("ferry-no-such-python".into()), None);
    }
}
