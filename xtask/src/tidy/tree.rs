//! The files that the rules look at: what git tracks or would track, read once.

use std::fs;
use std::path::Path;

use anyhow::{Context, Result};

use super::source::Source;
use crate::sh;

/// All files of the repository, in git's order.
pub(super) struct Tree {
    files: Vec<File>,
}

/// One file. Its path is relative to the root, with `/` between the parts.
pub(super) struct File {
    pub(super) path: String,
    /// Nothing for a file that is not text.
    pub(super) text: Option<String>,
    /// The text of a `.rs` file, taken apart.
    pub(super) source: Option<Source>,
}

impl Tree {
    /// Reads what git tracks in `root` and what it would track if it were added, so that a finding comes
    /// before the commit and not after it.
    pub(super) fn of_repository(root: &Path) -> Result<Self> {
        let list = ["ls-files", "-z", "--cached", "--others", "--exclude-standard"];
        let names = sh::output(&mut sh::command("git", &list)).context(
            "tidy asks git for the files, and `git ls-files` failed; it needs git and a git checkout",
        )?;
        let mut files = Vec::new();
        for path in names.split_terminator('\0') {
            let on_disk = root.join(path);
            // A file deleted but not yet staged is listed still; a link is checked where it points to.
            if fs::symlink_metadata(&on_disk).is_ok_and(|metadata| metadata.is_file()) {
                let bytes = fs::read(&on_disk).with_context(|| format!("{path} cannot be read"))?;
                files.push(File::new(path, String::from_utf8(bytes).ok()));
            }
        }
        Ok(Self { files })
    }

    #[cfg(test)]
    pub(super) fn of_texts(files: &[(&str, &str)]) -> Self {
        let files = files.iter().map(|(path, text)| File::new(path, Some((*text).to_owned())));
        Self { files: files.collect() }
    }

    pub(super) fn len(&self) -> usize {
        self.files.len()
    }

    /// Every file, whether it is text or not.
    pub(super) fn files(&self) -> impl Iterator<Item = &File> {
        self.files.iter()
    }

    /// The text files whose name ends with one of `extensions`, with their text.
    pub(super) fn texts(&self, extensions: &[&str]) -> impl Iterator<Item = (&str, &str)> {
        self.files
            .iter()
            .filter(|file| extensions.contains(&file.extension()))
            .filter_map(|file| Some((file.path.as_str(), file.text.as_deref()?)))
    }

    /// The Rust files, taken apart.
    pub(super) fn sources(&self) -> impl Iterator<Item = (&str, &Source)> {
        self.files.iter().filter_map(|file| Some((file.path.as_str(), file.source.as_ref()?)))
    }

    pub(super) fn text(&self, path: &str) -> Option<&str> {
        self.files.iter().find(|file| file.path == path)?.text.as_deref()
    }

    /// Whether `path` is a file or a folder with files.
    pub(super) fn contains(&self, path: &str) -> bool {
        self.files.iter().any(|file| {
            file.path.strip_prefix(path).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
        })
    }
}

impl File {
    fn new(path: &str, text: Option<String>) -> Self {
        let mut file = Self { path: path.to_owned(), text, source: None };
        if file.extension() == "rs" {
            file.source = file.text.as_deref().map(Source::new);
        }
        file
    }

    fn extension(&self) -> &str {
        let name = self.path.rsplit('/').next().unwrap_or(&self.path);
        name.rsplit_once('.').map_or("", |(_, extension)| extension)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn files_and_folders_are_contained_and_parts_of_names_are_not() {
        let tree = Tree::of_texts(&[("docs/a.md", ""), ("b.rs", "")]);
        let contained =
            ["docs", "docs/a.md", "b.rs", "doc", "docs/a", "c.rs"].map(|path| tree.contains(path));
        assert_eq!(contained, [true, true, true, false, false, false]);
    }

    #[test]
    fn texts_are_picked_by_extension() {
        let tree = Tree::of_texts(&[("a.md", "A"), ("b.rs", "B"), ("folder.rs/c", "C"), (".rs/d.py", "D")]);
        assert_eq!(tree.texts(&["rs", "py"]).collect::<Vec<_>>(), [("b.rs", "B"), (".rs/d.py", "D")]);
        assert_eq!(tree.sources().count(), 1);
    }

    #[test]
    fn the_repository_has_this_file() {
        let tree = Tree::of_repository(&sh::root()).unwrap();
        assert!(tree.text("xtask/src/tidy/tree.rs").is_some_and(|text| text == include_str!("tree.rs")));
    }
}
