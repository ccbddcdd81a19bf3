//! `io`: `Directory`, `File` and `Stat`, with the names, results and errors of Wren's command line. Each operation is blocking work
//! for another thread, where there are some.

use super::{blocking, made_elsewhere, platform};
use crate::{
    home::current,
    park::{Answer, Item},
};
use std::{
    fs::{self, Metadata, OpenOptions},
    io::{self, Read, Seek, SeekFrom, Write},
    path::Path,
    sync::{Arc, Mutex, PoisonError},
};
use wren::{Context, Error, VmBuilder};

/// A script reads so many bytes at once at most: what it would get must have room in its memory anyway.
const MOST_READ: u64 = 1 << 30;

/// A file that is open, until it's closed.
struct FileObject(Arc<Mutex<Option<fs::File>>>);

struct StatObject(Metadata);

impl FileObject {
    /// Does something with the file, which is open.
    fn with<T: Send + 'static>(
        &self,
        cx: &mut Context<'_>,
        act: impl FnOnce(&mut fs::File) -> io::Result<T> + Send + 'static,
        made: impl FnOnce(T) -> Item + 'static,
    ) -> Result<Answer, Error> {
        let file = self.0.clone();
        let work = move || match file.lock().unwrap_or_else(PoisonError::into_inner).as_mut() {
            Some(file) => act(file),
            None => Err(io::Error::other("File is not open.")),
        };
        blocking(cx, work, made)
    }
}

fn null(_: ()) -> Item {
    Item::NULL
}

fn text(text: String) -> Item {
    Item::Own(text.into())
}

fn number(number: u64) -> Item {
    Item::Own((number as f64).into())
}

fn bytes(bytes: Vec<u8>) -> Item {
    Item::Own(match String::from_utf8(bytes) {
        Ok(text) => wren::Value::String(text),
        Err(error) => wren::Value::Bytes(error.into_bytes()),
    })
}

/// Those of a script's string.
fn bytes_of(value: wren::Value) -> Result<Vec<u8>, Error> {
    match value {
        wren::Value::String(text) => Ok(text.into_bytes()),
        wren::Value::Bytes(bytes) => Ok(bytes),
        other => Err(Error::new(format!("Bytes must be a string, not {}.", other.kind()))),
    }
}

/// An object of one of this module's classes.
fn object<T: Send + 'static>(class: &'static str, held: T) -> Item {
    Item::made(move |cx| current().object_of(cx, "io", class, held))
}

fn open(path: &str, flags: u32) -> io::Result<fs::File> {
    let has = |flag: u32| flags & flag != 0;
    let mut options = OpenOptions::new();
    let writes = has(0x02) || has(0x04);
    options
        .read(!has(0x02) || has(0x04))
        .write(writes)
        .truncate(has(0x20) && writes)
        .create(has(0x10) && writes)
        .create_new(has(0x10) && has(0x40) && writes);
    platform::prepare(&mut options, has(0x08));
    options.open(path)
}

fn read(file: &mut fs::File, offset: u64, count: u64) -> io::Result<Vec<u8>> {
    if count > MOST_READ {
        return Err(too_much());
    }
    file.seek(SeekFrom::Start(offset))?;
    let mut bytes = Vec::new();
    file.take(count).read_to_end(&mut bytes)?;
    Ok(bytes)
}

/// All of what may have no length, such as a pipe.
fn read_all(path: &str) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    fs::File::open(path)?.take(MOST_READ + 1).read_to_end(&mut bytes)?;
    if bytes.len() as u64 > MOST_READ { Err(too_much()) } else { Ok(bytes) }
}

fn too_much() -> io::Error {
    io::Error::other(format!("at most {MOST_READ} bytes can be read at once"))
}

fn list(path: &Path) -> io::Result<Vec<String>> {
    let mut names = Vec::new();
    for entry in fs::read_dir(path)? {
        names.push(entry?.file_name().to_string_lossy().into_owned());
    }
    names.sort_unstable();
    Ok(names)
}

pub(super) fn register(builder: VmBuilder) -> VmBuilder {
    let builder = made_elsewhere(builder, "io", "File", "Files are opened by File.open(_).");
    let builder = made_elsewhere(builder, "io", "Stat", "It's made by Stat.path(_).");
    register_stat(register_file(register_paths(builder)))
}

/// What is done by a path.
fn register_paths(builder: VmBuilder) -> VmBuilder {
    builder
        .method("io", "Directory", "static create_(_)", |cx: &mut Context<'_>, (path,): (String,)| {
            blocking(cx, move || platform::create_directory(Path::new(&path)), null)
        })
        .method("io", "Directory", "static remove_(_)", |cx: &mut Context<'_>, (path,): (String,)| {
            blocking(cx, move || fs::remove_dir(path), null)
        })
        .method("io", "Directory", "static exists_(_)", |cx: &mut Context<'_>, (path,): (String,)| {
            blocking(cx, move || Ok(Path::new(&path).is_dir()), |is| Item::Own(is.into()))
        })
        .method("io", "Directory", "static list_(_)", |cx: &mut Context<'_>, (path,): (String,)| {
            let work = move || list(Path::new(&path));
            blocking(cx, work, |names| Item::All(names.into_iter().map(text).collect()))
        })
        .method("io", "File", "static delete_(_)", |cx: &mut Context<'_>, (path,): (String,)| {
            blocking(cx, move || fs::remove_file(path), null)
        })
        .method("io", "File", "static exists_(_)", |cx: &mut Context<'_>, (path,): (String,)| {
            blocking(cx, move || Ok(Path::new(&path).is_file()), |is| Item::Own(is.into()))
        })
        .method("io", "File", "static read_(_)", |cx: &mut Context<'_>, (path,): (String,)| {
            blocking(cx, move || read_all(&path), bytes)
        })
        .method("io", "File", "static realPath_(_)", |cx: &mut Context<'_>, (path,): (String,)| {
            blocking(cx, move || fs::canonicalize(path), |path| text(path.to_string_lossy().into_owned()))
        })
        .method("io", "File", "static size_(_)", |cx: &mut Context<'_>, (path,): (String,)| {
            blocking(cx, move || Ok(fs::metadata(path)?.len()), number)
        })
        .method("io", "File", "static open_(_,_)", |cx: &mut Context<'_>, (path, flags): (String, u32)| {
            blocking(
                cx,
                move || open(&path, flags),
                |file| object("File", FileObject(Arc::new(Mutex::new(Some(file))))),
            )
        })
}

fn register_file(builder: VmBuilder) -> VmBuilder {
    builder
        .method_of("io", "File", "descriptor", |file: &mut FileObject, _: &mut Context<'_>, ()| {
            let file = file.0.try_lock();
            // While it's in use, it's open.
            file.map_or(0.0, |file| file.as_ref().map_or(-1.0, |file| platform::descriptor(file) as f64))
        })
        .method_of("io", "File", "close()", |file: &mut FileObject, cx: &mut Context<'_>, ()| {
            let file = file.0.clone();
            let close = move || {
                let closed = file.lock().unwrap_or_else(PoisonError::into_inner).take();
                drop(closed);
                Ok(())
            };
            blocking(cx, close, null)
        })
        .method_of("io", "File", "size_()", |file: &mut FileObject, cx: &mut Context<'_>, ()| {
            file.with(cx, |file| Ok(file.metadata()?.len()), number)
        })
        .method_of("io", "File", "stat_()", |file: &mut FileObject, cx: &mut Context<'_>, ()| {
            file.with(cx, |file| file.metadata(), |metadata| object("Stat", StatObject(metadata)))
        })
        .method_of(
            "io",
            "File",
            "readBytes_(_,_)",
            |file: &mut FileObject, cx: &mut Context<'_>, (count, offset): (u64, u64)| {
                file.with(cx, move |file| read(file, offset, count), bytes)
            },
        )
        .method_of(
            "io",
            "File",
            "writeBytes_(_,_)",
            |file: &mut FileObject, cx: &mut Context<'_>, (given, offset): (wren::Value, u64)| {
                let given = bytes_of(given)?;
                let write = move |file: &mut fs::File| {
                    file.seek(SeekFrom::Start(offset))?;
                    file.write_all(&given)
                };
                file.with(cx, write, null)
            },
        )
}

type Number = fn(&platform::Numbers) -> u64;

fn register_stat(builder: VmBuilder) -> VmBuilder {
    let numbers: [(&str, Number); 9] = [
        ("blockCount", |stat| stat.block_count),
        ("blockSize", |stat| stat.block_size),
        ("device", |stat| stat.device),
        ("group", |stat| stat.group),
        ("inode", |stat| stat.inode),
        ("linkCount", |stat| stat.link_count),
        ("mode", |stat| stat.mode),
        ("specialDevice", |stat| stat.special_device),
        ("user", |stat| stat.user),
    ];
    let mut builder = builder;
    for (name, number) in numbers {
        let method =
            move |stat: &mut StatObject, _: &mut Context<'_>, ()| number(&platform::numbers(&stat.0)) as f64;
        builder = builder.method_of("io", "Stat", name, method);
    }
    builder
        .method_of("io", "Stat", "size", |stat: &mut StatObject, _: &mut Context<'_>, ()| stat.0.len() as f64)
        .method_of("io", "Stat", "isFile", |stat: &mut StatObject, _: &mut Context<'_>, ()| stat.0.is_file())
        .method_of("io", "Stat", "isDirectory", |stat: &mut StatObject, _: &mut Context<'_>, ()| {
            stat.0.is_dir()
        })
        .method("io", "Stat", "static path_(_)", |cx: &mut Context<'_>, (path,): (String,)| {
            blocking(cx, move || fs::metadata(path), |metadata| object("Stat", StatObject(metadata)))
        })
}
