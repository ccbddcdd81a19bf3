//! wasm-bindgen's programs, which must be of the very version that the code is built with: the one in Cargo.lock.

use std::env;
use std::fs;
use std::path::PathBuf;

use anyhow::{Context, Result};

use crate::sh;

const PACKAGE: &str = "wasm-bindgen-cli";

/// The path of one of its programs: the one on PATH if that is of the version wanted, else the one in the user's cache
/// folder, where it's built first if need be.
pub(crate) fn program(name: &str) -> Result<PathBuf> {
    let version = version()?;
    if tells(name.into(), &version) {
        return Ok(name.into());
    }
    let folder = cache()?.join(format!("{PACKAGE}-{version}"));
    let program = folder.join("bin").join(name);
    if !tells(program.clone(), &version) {
        install(&version, &folder)?;
    }
    Ok(program)
}

fn tells(program: PathBuf, version: &str) -> bool {
    sh::output(&mut sh::command(program, &["--version"]))
        .is_some_and(|told| told.split_whitespace().any(|word| word == version))
}

/// A registry's mirror may lack a version that the package's own lock file names: then it's built without that.
fn install(version: &str, folder: &std::path::Path) -> Result<()> {
    let install = |options: &[&str]| {
        let mut command = sh::cargo(&["install", PACKAGE, "--version", version, "--root"]);
        // Its build has its own folder, and its own flags.
        command.arg(folder).args(options).env_remove("CARGO_TARGET_DIR").env_remove("RUSTFLAGS");
        sh::run(&mut command)
    };
    install(&["--locked"])
        .or_else(|_| install(&[]))
        .with_context(|| format!("{PACKAGE} {version} could not be built"))
}

/// The version of wasm-bindgen in the lock file.
fn version() -> Result<String> {
    let lock = fs::read_to_string(sh::root().join("Cargo.lock"))?;
    locked_version(&lock, "wasm-bindgen").context("Cargo.lock names no wasm-bindgen")
}

fn locked_version(lock: &str, package: &str) -> Option<String> {
    let (_, entry) = lock.split_once(&format!("name = \"{package}\"\n"))?;
    let version = entry.lines().next()?.strip_prefix("version = \"")?;
    Some(version.trim_end_matches('"').to_owned())
}

/// This project's folder among the user's caches.
fn cache() -> Result<PathBuf> {
    let caches = env::var_os("XDG_CACHE_HOME")
        .map(PathBuf::from)
        .filter(|folder| folder.is_absolute())
        .or_else(|| env::var_os("HOME").map(|home| PathBuf::from(home).join(".cache")));
    Ok(caches.context("neither XDG_CACHE_HOME nor HOME tells where caches are")?.join("asyncferry"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_locked_version_is_that_of_the_very_package() {
        let lock = "[[package]]\nname = \"wasm-bindgen-test\"\nversion = \"0.3.1\"\n\n\
                    [[package]]\nname = \"wasm-bindgen\"\nversion = \"0.2.130\"\nsource = \"x\"\n";
        assert_eq!(locked_version(lock, "wasm-bindgen").as_deref(), Some("0.2.130"));
        assert_eq!(locked_version(lock, "wasm"), None);
    }

    #[test]
    fn the_lock_file_names_wasm_bindgen() {
        assert!(version().is_ok_and(|version| version.split('.').count() == 3));
    }
}
