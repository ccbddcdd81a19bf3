//! Which interpreter to start: the one that was asked for, or the one that `python` would be.
//!
//! In this order: the path given, the active virtual environment, the interpreter that Ferry was built
//! with, and `python3.N`, `python3`, `python` on PATH. What a person named must fit, or is an error; what
//! Ferry merely comes across is passed over when it does not fit.

use std::path::{Path, PathBuf};
use std::{env, fmt};

use super::recognise::{Found, by_asking, by_its_files};
use super::{OLDEST, Version, linked};

/// Why there is no interpreter to start.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum FindError {
    /// Nothing is at the path that was named, or no program.
    NoProgram {
        /// The path, as far as it was followed.
        path: PathBuf,
        /// Who named it.
        named_by: NamedBy,
    },
    /// The program named is no CPython that can be embedded.
    NotPython {
        /// The program.
        path: PathBuf,
        /// Who named it.
        named_by: NamedBy,
        /// The end of a sentence.
        why: String,
    },
    /// The interpreter named has another version than the libpython in this process.
    OtherVersion {
        /// The interpreter.
        path: PathBuf,
        /// Who named it.
        named_by: NamedBy,
        /// Its version.
        found: Version,
    },
    /// Nobody named one, and none that fits was found.
    NoneFits,
}

/// Who named an interpreter.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NamedBy {
    /// The caller: `--python`.
    Option,
    /// The environment variable of an active virtual environment.
    VirtualEnv,
}

/// The interpreter to start.
pub(super) fn find(asked: Option<&Path>) -> Result<Found, FindError> {
    if let Some(path) = asked {
        return named(with_path_searched(path), NamedBy::Option);
    }
    if let Some(folder) = env::var_os("VIRTUAL_ENV").filter(|folder| !folder.is_empty()) {
        return named(PathBuf::from(folder).join("bin/python"), NamedBy::VirtualEnv);
    }
    built_with().or_else(|| first_of(path_folders())).ok_or(FindError::NoneFits)
}

/// Whether `python` uses the very standard library that this process' libpython was built with.
pub(super) fn has_linked_stdlib(python: &Found) -> bool {
    let linked = Path::new(env!("FERRY_BUILD_STDLIB"));
    let real = |folder: &Path| folder.canonicalize().ok();
    python.stdlib == linked || real(linked).is_some_and(|linked| real(&python.stdlib) == Some(linked))
}

/// The interpreter that a person named, given as a program or as an environment's folder.
fn named(mut path: PathBuf, named_by: NamedBy) -> Result<Found, FindError> {
    if path.is_dir() {
        path.push("bin/python");
    }
    // Absolute, because sys.executable must stay true when the program changes its folder.
    let path = std::path::absolute(&path).unwrap_or(path);
    if !is_program(&path) {
        return Err(FindError::NoProgram { path, named_by });
    }
    let python = match by_its_files(&path) {
        Some(python) => python,
        None => by_asking(&path).map_err(|why| FindError::NotPython { path, named_by, why })?,
    };
    if python.version != linked() {
        return Err(FindError::OtherVersion { path: python.executable, named_by, found: python.version });
    }
    Ok(python)
}

/// A bare name is looked up on PATH, as a shell would; everything else stays as it is.
fn with_path_searched(path: &Path) -> PathBuf {
    if path.components().count() > 1 || path.exists() {
        return path.to_path_buf();
    }
    path_folders().map(|folder| folder.join(path)).find(|path| is_program(path)).unwrap_or(path.to_path_buf())
}

fn built_with() -> Option<Found> {
    let path = Path::new(env!("FERRY_BUILD_PYTHON"));
    is_program(path).then(|| fitting(path)).flatten()
}

/// The first interpreter in these folders, as PATH lists them, that fits.
fn first_of(mut folders: impl Iterator<Item = PathBuf>) -> Option<Found> {
    let names = [format!("python{}", linked()), "python3".to_owned(), "python".to_owned()];
    let programs = |folder: PathBuf| names.each_ref().map(|name| folder.join(name));
    let usable = |path: &PathBuf| path.is_absolute() && is_program(path);
    folders
        .find_map(|folder| programs(folder).iter().filter(|path| usable(path)).find_map(|path| fitting(path)))
}

fn fitting(path: &Path) -> Option<Found> {
    let python = by_its_files(path).or_else(|| by_asking(path).ok())?;
    (python.version == linked()).then_some(python)
}

fn path_folders() -> impl Iterator<Item = PathBuf> {
    let path = env::var_os("PATH").unwrap_or_default();
    env::split_paths(&path).collect::<Vec<_>>().into_iter()
}

fn is_program(path: &Path) -> bool {
    use std::os::unix::fs::PermissionsExt;
    path.metadata().is_ok_and(|file| file.is_file() && file.permissions().mode() & 0o111 != 0)
}

impl NamedBy {
    /// What to do instead, as a sentence of its own.
    fn remedy(self) -> &'static str {
        match self {
            Self::Option => {
                "Give --python the path of an interpreter or of a virtual environment, or leave it out"
            }
            Self::VirtualEnv => {
                "Unset VIRTUAL_ENV, make the environment anew (python3 -m venv), or give another with \
                 --python"
            }
        }
    }
}

impl fmt::Display for NamedBy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Option => "--python",
            Self::VirtualEnv => "VIRTUAL_ENV",
        })
    }
}

impl fmt::Display for FindError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let linked = linked();
        match self {
            Self::NoProgram { path, named_by } => {
                let (path, remedy) = (path.display(), named_by.remedy());
                write!(f, "{path}, named by {named_by}, is not there or not a program. {remedy}")
            }
            Self::NotPython { path, named_by, why } => {
                let (path, remedy) = (path.display(), named_by.remedy());
                write!(f, "{path}, named by {named_by}, is not a Python that can be used: {why}. {remedy}")
            }
            Self::OtherVersion { path, named_by, found } => {
                let path = path.display();
                let rebuild = match *found >= OLDEST {
                    true => format!("rebuild it with PYO3_PYTHON={path} cargo build --release, or "),
                    false => String::new(),
                };
                write!(
                    f,
                    "{path}, named by {named_by}, is Python {found}, and this ferry was built for Python \
                     {linked}: {rebuild}choose a {linked} interpreter with --python"
                )
            }
            Self::NoneFits => write!(
                f,
                "there is no Python {linked} interpreter: neither the one that this ferry was built \
                 with, nor python{linked}, python3 or python on PATH. Install one, or give its path \
                 with --python"
            ),
        }
    }
}

impl std::error::Error for FindError {}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::os::unix::fs::{PermissionsExt, symlink};

    use super::*;

    #[test]
    fn the_first_interpreter_on_path_that_fits_is_found() {
        let folder = env::temp_dir().join(format!("ferry-find-{}", std::process::id()));
        let [none, other, fits] = ["none", "other", "fits"].map(|name| folder.join(name));
        for folder in [&none, &other, &fits] {
            fs::create_dir_all(folder).expect("the temporary folder can be written");
        }
        let older = other.join("python3");
        fs::write(&older, "#!/bin/sh\nprintf '3\\n8\\ncpython\\nFalse\\n/p\\n/l\\n'\n").expect("writable");
        fs::set_permissions(&older, fs::Permissions::from_mode(0o755)).expect("the file is ours");
        symlink(env!("FERRY_BUILD_PYTHON"), fits.join("python")).expect("writable");

        assert_eq!(first_of([none.clone(), other.clone()].into_iter()), None);
        let found =
            first_of([none, other, fits.clone()].into_iter()).expect("the one that Ferry was built with");
        assert_eq!((found.executable, found.version), (fits.join("python"), linked()));
        fs::remove_dir_all(folder).expect("the folder is ours");
    }
}
