//! Where the sources of imported modules come from.

use std::{
    collections::HashMap,
    io,
    path::{Component, Path, PathBuf},
};

/// What a [`Vm`](crate::Vm) asks for a module's source.
///
/// Errors are the rest of a sentence: `Could not load module 'x': …`
///
/// ```
/// use std::collections::HashMap;
/// use wren::Vm;
///
/// // A map of sources is one.
/// let sources = HashMap::from([("names".to_owned(), "var Name = \"Wren\"".to_owned())]);
/// let mut vm = Vm::builder().loader(sources).build();
/// vm.run("main", "import \"names\" for Name").unwrap();
/// assert_eq!(vm.context().variable("main", "Name"), Some("Wren".into()));
/// ```
pub trait Loader: Send {
    /// The full name of the module that `importer` calls `name`. It's the same module wherever the full name is the same.
    ///
    /// # Errors
    /// Why there can be none.
    fn resolve(&mut self, importer: &str, name: &str) -> Result<String, String> {
        let _ = importer;
        Ok(name.to_owned())
    }

    /// The source of a module, by its full name. `None` if there is none; `meta` and `random` are there even so.
    ///
    /// # Errors
    /// Why it can't be read.
    fn load(&mut self, name: &str) -> Result<Option<String>, String>;
}

/// No modules but `meta` and `random`. What a [`Vm`](crate::Vm) has unless it's given another.
#[derive(Clone, Copy, Debug, Default)]
pub struct NoModules;

impl Loader for NoModules {
    fn load(&mut self, _name: &str) -> Result<Option<String>, String> {
        Ok(None)
    }
}

/// The sources, by their names.
impl Loader for HashMap<String, String> {
    fn load(&mut self, name: &str) -> Result<Option<String>, String> {
        Ok(self.get(name).cloned())
    }
}

/// Files, whose names end in `.wren`: looked for beside the one that imports them.
///
/// A module's full name is its path, without the ending. `meta` and `random` are those of Wren; files of these names are
/// imported as `./meta` and `./random`, from a folder that is not the working one.
#[derive(Clone, Copy, Debug, Default)]
pub struct Files {
    _own: (),
}

/// A module's source may have so many bytes.
const LARGEST: u64 = 64 << 20;

impl Files {
    /// Whatever the process may read.
    pub fn new() -> Self {
        Self::default()
    }

    /// The full name of the module in a file.
    pub fn name(path: &Path) -> String {
        path.with_extension("").to_string_lossy().into_owned()
    }
}

impl Loader for Files {
    fn resolve(&mut self, importer: &str, name: &str) -> Result<String, String> {
        if crate::optional::source(name).is_some() {
            return Ok(name.to_owned());
        }
        let folder = Path::new(importer).parent().unwrap_or(Path::new(""));
        Ok(plain(&folder.join(name)).to_string_lossy().into_owned())
    }

    fn load(&mut self, name: &str) -> Result<Option<String>, String> {
        if crate::optional::source(name).is_some() {
            return Ok(None);
        }
        let path = format!("{name}.wren");
        match std::fs::metadata(&path) {
            Ok(found) if found.len() > LARGEST => return Err(format!("{path} is larger than 64 MiB.")),
            Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(format!("{path}: {error}.")),
            _ => {}
        }
        match std::fs::read(&path) {
            Ok(source) => match String::from_utf8(source) {
                Ok(source) => Ok(Some(source)),
                Err(_) => Err(format!("{path} is not UTF-8.")),
            },
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(format!("{path}: {error}.")),
        }
    }
}

/// Without `.` and `..`, as far as they follow a name.
fn plain(path: &Path) -> PathBuf {
    let mut plain = PathBuf::new();
    for part in path.components() {
        match part {
            Component::CurDir => {}
            Component::ParentDir if matches!(plain.components().next_back(), Some(Component::Normal(_))) => {
                plain.pop();
            }
            other => plain.push(other),
        }
    }
    plain
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn files_are_beside_the_one_that_imports_them() {
        let mut files = Files::new();
        let cases = [
            ("main", "other", "other"),
            ("dir/main", "./other", "dir/other"),
            ("dir/main", "../other", "other"),
            ("dir/sub/main", "../lib/../other", "dir/other"),
            ("main", "../other", "../other"),
            ("/abs/main", "other", "/abs/other"),
        ];
        for (importer, name, expected) in cases {
            assert_eq!(files.resolve(importer, name).as_deref(), Ok(expected));
        }
    }
}
