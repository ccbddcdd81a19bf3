//! Whole files, folders and names: one call of std's each.

use super::blocking;
use std::{
    ffi::OsString,
    fs::{FileType, Metadata, Permissions},
    io,
    path::{Path, PathBuf},
};

/// Reads a whole file. It has to fit into memory.
///
/// ```
/// use asyncferry::{AsyncRuntime, fs};
///
/// let folder = std::env::temp_dir().join(format!("ferry-doc-{}", std::process::id()));
/// AsyncRuntime::block_on(async {
///     fs::create_dir_all(&folder).await?;
///     fs::write(folder.join("note"), "hello").await?;
///     assert_eq!(fs::read(folder.join("note")).await?, b"hello");
///     fs::remove_dir_all(&folder).await
/// })
/// .unwrap();
/// ```
///
/// # Errors
/// As [`std::fs::read`].
pub async fn read(path: impl AsRef<Path>) -> io::Result<Vec<u8>> {
    one(path, |path| std::fs::read(path)).await
}

/// Reads a whole file of UTF-8.
///
/// # Errors
/// As [`std::fs::read_to_string`].
pub async fn read_to_string(path: impl AsRef<Path>) -> io::Result<String> {
    one(path, |path| std::fs::read_to_string(path)).await
}

/// Writes a whole file, in the place of what was there.
///
/// # Errors
/// As [`std::fs::write`].
pub async fn write(path: impl AsRef<Path>, contents: impl AsRef<[u8]>) -> io::Result<()> {
    let contents = contents.as_ref().to_vec();
    one(path, move |path| std::fs::write(path, contents)).await
}

/// Copies a file's contents and permissions, and gives how many bytes they were.
///
/// # Errors
/// As [`std::fs::copy`].
pub async fn copy(from: impl AsRef<Path>, to: impl AsRef<Path>) -> io::Result<u64> {
    two(from, to, |from, to| std::fs::copy(from, to)).await
}

/// Gives a file or folder another name.
///
/// # Errors
/// As [`std::fs::rename`].
pub async fn rename(from: impl AsRef<Path>, to: impl AsRef<Path>) -> io::Result<()> {
    two(from, to, |from, to| std::fs::rename(from, to)).await
}

/// Gives a file one more name.
///
/// # Errors
/// As [`std::fs::hard_link`].
pub async fn hard_link(original: impl AsRef<Path>, link: impl AsRef<Path>) -> io::Result<()> {
    two(original, link, |original, link| std::fs::hard_link(original, link)).await
}

/// Where a symbolic link leads to.
///
/// # Errors
/// As [`std::fs::read_link`].
pub async fn read_link(path: impl AsRef<Path>) -> io::Result<PathBuf> {
    one(path, |path| std::fs::read_link(path)).await
}

/// The path from the root, without links. WASI has none.
///
/// # Errors
/// As [`std::fs::canonicalize`].
pub async fn canonicalize(path: impl AsRef<Path>) -> io::Result<PathBuf> {
    one(path, |path| std::fs::canonicalize(path)).await
}

/// Makes a folder.
///
/// # Errors
/// As [`std::fs::create_dir`].
pub async fn create_dir(path: impl AsRef<Path>) -> io::Result<()> {
    one(path, |path| std::fs::create_dir(path)).await
}

/// Makes a folder, and those above it that are missing.
///
/// # Errors
/// As [`std::fs::create_dir_all`].
pub async fn create_dir_all(path: impl AsRef<Path>) -> io::Result<()> {
    one(path, |path| std::fs::create_dir_all(path)).await
}

/// Removes a file.
///
/// # Errors
/// As [`std::fs::remove_file`].
pub async fn remove_file(path: impl AsRef<Path>) -> io::Result<()> {
    one(path, |path| std::fs::remove_file(path)).await
}

/// Removes an empty folder.
///
/// # Errors
/// As [`std::fs::remove_dir`].
pub async fn remove_dir(path: impl AsRef<Path>) -> io::Result<()> {
    one(path, |path| std::fs::remove_dir(path)).await
}

/// Removes a folder with all that is in it.
///
/// # Errors
/// As [`std::fs::remove_dir_all`].
pub async fn remove_dir_all(path: impl AsRef<Path>) -> io::Result<()> {
    one(path, |path| std::fs::remove_dir_all(path)).await
}

/// What is known of a file or folder, links followed.
///
/// # Errors
/// As [`std::fs::metadata`].
pub async fn metadata(path: impl AsRef<Path>) -> io::Result<Metadata> {
    one(path, |path| std::fs::metadata(path)).await
}

/// [`metadata`] of a link itself.
///
/// # Errors
/// As [`std::fs::symlink_metadata`].
pub async fn symlink_metadata(path: impl AsRef<Path>) -> io::Result<Metadata> {
    one(path, |path| std::fs::symlink_metadata(path)).await
}

/// Sets who may do what.
///
/// # Errors
/// As [`std::fs::set_permissions`].
pub async fn set_permissions(path: impl AsRef<Path>, permissions: Permissions) -> io::Result<()> {
    one(path, |path| std::fs::set_permissions(path, permissions)).await
}

/// Whether there is something of that name.
///
/// # Errors
/// As [`std::fs::exists`], where it can't be told.
pub async fn try_exists(path: impl AsRef<Path>) -> io::Result<bool> {
    one(path, |path| path.try_exists()).await
}

/// What is in a folder, by name. It has to fit into memory.
///
/// ```
/// use asyncferry::{AsyncRuntime, fs};
///
/// AsyncRuntime::block_on(async {
///     for entry in fs::read_dir(".").await? {
///         println!("{} {}", entry.path().display(), if entry.file_type().is_dir() { "folder" } else { "" });
///     }
///     std::io::Result::Ok(())
/// })
/// .unwrap();
/// ```
///
/// # Errors
/// As [`std::fs::read_dir`] and its entries.
pub async fn read_dir(path: impl AsRef<Path>) -> io::Result<Vec<DirEntry>> {
    let read = |path: &Path| {
        let entries = std::fs::read_dir(path)?.map(|entry| {
            let entry = entry?;
            Ok(DirEntry { folder: path.to_owned(), name: entry.file_name(), file_type: entry.file_type()? })
        });
        let mut entries = entries.collect::<io::Result<Vec<_>>>()?;
        entries.sort_unstable_by(|one, other| one.name.cmp(&other.name));
        Ok(entries)
    };
    one(path, read).await
}

/// One of what [`read_dir`] finds.
#[derive(Clone, Debug)]
pub struct DirEntry {
    folder: PathBuf,
    name: OsString,
    file_type: FileType,
}

impl DirEntry {
    /// Its name in its folder.
    pub fn file_name(&self) -> &OsString {
        &self.name
    }

    /// The path that was asked for, and its name.
    pub fn path(&self) -> PathBuf {
        self.folder.join(&self.name)
    }

    /// What it is; a link is a link.
    pub fn file_type(&self) -> FileType {
        self.file_type
    }
}

async fn one<T: Send + 'static>(
    path: impl AsRef<Path>,
    operation: impl FnOnce(&Path) -> io::Result<T> + Send + 'static,
) -> io::Result<T> {
    let path = path.as_ref().to_owned();
    blocking(move || operation(&path)).await
}

async fn two<T: Send + 'static>(
    from: impl AsRef<Path>,
    to: impl AsRef<Path>,
    operation: impl FnOnce(&Path, &Path) -> io::Result<T> + Send + 'static,
) -> io::Result<T> {
    let (from, to) = (from.as_ref().to_owned(), to.as_ref().to_owned());
    blocking(move || operation(&from, &to)).await
}
