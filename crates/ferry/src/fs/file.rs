//! [`File`]: a file that is open.
//!
//! # States
//!
//! ```text
//!         read: nothing is left of the last chunk ┐      ┌ done
//!   Idle(rest of what was read) ──────────────────┴─▶ Busy ──▶ Idle
//!         write, seek, sync, …  ──────────────────┘
//! ```
//!
//! One operation at a time is out, on a thread that blocks; it owns its buffer, so that dropping the future that waits
//! is safe. What it found stays in `Busy` until somebody asks again. A write or seek first gives up what was read
//! ahead, by moving the file's position back by as much.

use super::{blocking, supported};
use crate::task::{TaskHandle, spawn_blocking};
use std::{
    fs::{self, Metadata, Permissions},
    future::poll_fn,
    io::{self, Read, Seek, SeekFrom, Write},
    path::Path,
    pin::Pin,
    sync::Arc,
    task::{Context, Poll, ready},
};

/// A read takes at most this much at a time, in bytes.
const CHUNK: usize = 64 << 10;

/// A file that is open for reading or writing. It's closed when it's dropped, once what it does is done; an error of
/// that can't be told, so [`sync_all`](Self::sync_all) before it matters.
///
/// ```
/// use asyncferry::{AsyncRuntime, fs::{self, File}};
/// use std::io::SeekFrom;
///
/// let path = std::env::temp_dir().join(format!("ferry-file-{}", std::process::id()));
/// AsyncRuntime::block_on(async {
///     let mut file = File::options().read(true).write(true).create(true).truncate(true).open(&path).await?;
///     file.write_all(b"one two").await?;
///     file.seek(SeekFrom::Start(4)).await?;
///     let mut rest = String::new();
///     file.read_to_string(&mut rest).await?;
///     assert_eq!(rest, "two");
///     fs::remove_file(&path).await
/// })
/// .unwrap();
/// ```
#[derive(Debug)]
pub struct File {
    file: Arc<fs::File>,
    state: State,
}

#[derive(Debug)]
enum State {
    Idle(Chunk),
    Busy(TaskHandle<Done>),
}

/// What was read and not yet given out.
#[derive(Debug, Default)]
struct Chunk {
    bytes: Vec<u8>,
    given: usize,
}

impl Chunk {
    fn rest(&self) -> &[u8] {
        &self.bytes[self.given..]
    }
}

/// What an operation found, with its buffer.
#[derive(Debug)]
enum Done {
    Read(io::Result<()>, Vec<u8>),
    Other(io::Result<u64>),
}

impl File {
    /// Opens a file for reading.
    ///
    /// # Errors
    /// As [`std::fs::File::open`].
    pub async fn open(path: impl AsRef<Path>) -> io::Result<Self> {
        OpenOptions::new().read(true).open(path).await
    }

    /// Opens a file for writing, and empties it if there is one.
    ///
    /// # Errors
    /// As [`std::fs::File::create`].
    pub async fn create(path: impl AsRef<Path>) -> io::Result<Self> {
        OpenOptions::new().write(true).create(true).truncate(true).open(path).await
    }

    /// How to open a file in other ways.
    pub fn options() -> OpenOptions {
        OpenOptions::new()
    }

    /// One of std's that is open.
    pub fn from_std(file: fs::File) -> Self {
        Self { file: Arc::new(file), state: State::Idle(Chunk::default()) }
    }

    /// Reads what comes next into `buffer`, and gives how many bytes that were: zero at the end.
    ///
    /// # Errors
    /// As [`Read::read`].
    ///
    /// # Cancel safety
    /// Nothing is lost: what was read is given to who reads next.
    pub async fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        poll_fn(|cx| self.poll_read(cx, buffer)).await
    }

    /// Reads until `buffer` is full.
    ///
    /// # Errors
    /// Of kind [`UnexpectedEof`](io::ErrorKind::UnexpectedEof) when the file ends before; and as [`read`](Self::read).
    ///
    /// # Cancel safety
    /// What is in `buffer` by then was read.
    pub async fn read_exact(&mut self, buffer: &mut [u8]) -> io::Result<()> {
        let mut filled = 0;
        while filled < buffer.len() {
            match self.read(&mut buffer[filled..]).await? {
                0 => return Err(io::ErrorKind::UnexpectedEof.into()),
                count => filled += count,
            }
        }
        Ok(())
    }

    /// Reads the rest of the file to the end of `bytes`, and gives how much that was.
    ///
    /// # Errors
    /// As [`read`](Self::read).
    ///
    /// # Cancel safety
    /// What was appended by then was read.
    pub async fn read_to_end(&mut self, bytes: &mut Vec<u8>) -> io::Result<usize> {
        let before = bytes.len();
        loop {
            self.fill().await?;
            let State::Idle(chunk) = &mut self.state else { unreachable!("it was filled") };
            if chunk.rest().is_empty() {
                return Ok(bytes.len() - before);
            }
            bytes.extend_from_slice(chunk.rest());
            chunk.given = chunk.bytes.len();
        }
    }

    /// Reads the rest of the file, which is UTF-8, to the end of `text`, and gives how many bytes that were.
    ///
    /// # Errors
    /// Of kind [`InvalidData`](io::ErrorKind::InvalidData) when it isn't UTF-8, with `text` as it was; and as
    /// [`read`](Self::read).
    ///
    /// # Cancel safety
    /// Dropping it loses what was read by then.
    pub async fn read_to_string(&mut self, text: &mut String) -> io::Result<usize> {
        let mut bytes = Vec::new();
        self.read_to_end(&mut bytes).await?;
        let read =
            String::from_utf8(bytes).map_err(|error| io::Error::new(io::ErrorKind::InvalidData, error))?;
        text.push_str(&read);
        Ok(read.len())
    }

    /// Writes all of `bytes`.
    ///
    /// # Errors
    /// As [`Write::write_all`].
    ///
    /// # Cancel safety
    /// Once it was polled, all is written whether somebody waits or not, and an error comes to who uses the file next;
    /// but where there are no threads, and on a virtual clock, only if the loop goes on until its turn.
    pub async fn write_all(&mut self, bytes: &[u8]) -> io::Result<()> {
        let bytes = bytes.to_vec();
        self.operate(move |mut file| file.write_all(&bytes).map(|()| 0)).await.map(drop)
    }

    /// Moves to another position, and gives it.
    ///
    /// # Errors
    /// As [`Seek::seek`].
    pub async fn seek(&mut self, to: SeekFrom) -> io::Result<u64> {
        self.operate(move |mut file| file.seek(to)).await
    }

    /// Waits until everything is on the disk.
    ///
    /// # Errors
    /// As [`std::fs::File::sync_all`].
    pub async fn sync_all(&mut self) -> io::Result<()> {
        self.operate(|file| file.sync_all().map(|()| 0)).await.map(drop)
    }

    /// [`sync_all`](Self::sync_all) of the contents only.
    ///
    /// # Errors
    /// As [`std::fs::File::sync_data`].
    pub async fn sync_data(&mut self) -> io::Result<()> {
        self.operate(|file| file.sync_data().map(|()| 0)).await.map(drop)
    }

    /// Makes the file this long, in bytes.
    ///
    /// # Errors
    /// As [`std::fs::File::set_len`].
    pub async fn set_len(&mut self, length: u64) -> io::Result<()> {
        self.operate(move |file| file.set_len(length).map(|()| 0)).await.map(drop)
    }

    /// What is known of the file.
    ///
    /// # Errors
    /// As [`std::fs::File::metadata`].
    pub async fn metadata(&self) -> io::Result<Metadata> {
        let file = self.file.clone();
        blocking(move || file.metadata()).await
    }

    /// Sets who may do what with it.
    ///
    /// # Errors
    /// As [`std::fs::File::set_permissions`].
    pub async fn set_permissions(&self, permissions: Permissions) -> io::Result<()> {
        let file = self.file.clone();
        blocking(move || file.set_permissions(permissions)).await
    }

    /// [`read`](Self::read) for who implements a stream or a reader.
    pub fn poll_read(&mut self, cx: &mut Context<'_>, buffer: &mut [u8]) -> Poll<io::Result<usize>> {
        if buffer.is_empty() {
            return Poll::Ready(Ok(0));
        }
        ready!(self.poll_fill(cx))?;
        let State::Idle(chunk) = &mut self.state else { unreachable!("it was filled") };
        let count = chunk.rest().len().min(buffer.len());
        buffer[..count].copy_from_slice(&chunk.rest()[..count]);
        chunk.given += count;
        Poll::Ready(Ok(count))
    }

    async fn fill(&mut self) -> io::Result<()> {
        poll_fn(|cx| self.poll_fill(cx)).await
    }

    /// Sees that there is something to give out, unless the file is at its end.
    fn poll_fill(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let mut has_read = false;
        loop {
            let State::Idle(chunk) = &mut self.state else {
                has_read = ready!(self.poll_done(cx))?;
                continue;
            };
            if has_read || !chunk.rest().is_empty() {
                return Poll::Ready(Ok(()));
            }
            let mut bytes = std::mem::take(&mut chunk.bytes);
            let file = self.file.clone();
            let read = move || {
                bytes.resize(CHUNK, 0);
                let read = retried(|| (&*file).read(&mut bytes));
                bytes.truncate(*read.as_ref().unwrap_or(&0));
                Done::Read(read.map(drop), bytes)
            };
            self.state = State::Busy(spawn_blocking(read));
        }
    }

    /// Waits for the operation that is out; whether it was a read. Its error is told once.
    fn poll_done(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<bool>> {
        let State::Busy(task) = &mut self.state else { return Poll::Ready(Ok(false)) };
        let done = ready!(Pin::new(task).poll(cx));
        let (chunk, told) = match done {
            Ok(Done::Read(told, bytes)) => (Chunk { bytes, given: 0 }, told.map(|()| true)),
            Ok(Done::Other(told)) => (Chunk::default(), told.map(|_| false)),
            Err(error) => (Chunk::default(), Err(io::Error::other(error))),
        };
        self.state = State::Idle(chunk);
        Poll::Ready(told)
    }

    /// Runs `operation` after what is out, from where the reader of this file is.
    async fn operate(
        &mut self,
        operation: impl FnOnce(&fs::File) -> io::Result<u64> + Send + 'static,
    ) -> io::Result<u64> {
        poll_fn(|cx| self.poll_done(cx)).await?;
        let State::Idle(chunk) = &mut self.state else { unreachable!("nothing is out") };
        let ahead = i64::try_from(chunk.rest().len()).unwrap_or(i64::MAX);
        let file = self.file.clone();
        let operate = move || {
            let back = if ahead > 0 { (&*file).seek(SeekFrom::Current(-ahead)).map(drop) } else { Ok(()) };
            Done::Other(back.and_then(|()| operation(&file)))
        };
        self.state = State::Busy(spawn_blocking(operate));
        poll_fn(|cx| {
            let State::Busy(task) = &mut self.state else { unreachable!("the operation is out") };
            let done = ready!(Pin::new(task).poll(cx));
            self.state = State::Idle(Chunk::default());
            Poll::Ready(match done {
                Ok(Done::Other(told)) => told,
                Ok(Done::Read(..)) => unreachable!("the operation is no read"),
                Err(error) => Err(io::Error::other(error)),
            })
        })
        .await
    }
}

/// Reads again when a signal came between.
fn retried<T>(mut read: impl FnMut() -> io::Result<T>) -> io::Result<T> {
    loop {
        match read() {
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            ended => return ended,
        }
    }
}

/// How to open a [`File`], as [`std::fs::OpenOptions`].
#[derive(Clone, Debug)]
#[must_use = "it opens nothing by itself"]
pub struct OpenOptions(fs::OpenOptions);

impl OpenOptions {
    /// None yet.
    #[expect(clippy::new_without_default, reason = "std's has none either")]
    pub fn new() -> Self {
        Self(fs::OpenOptions::new())
    }

    /// To read.
    pub fn read(mut self, on: bool) -> Self {
        self.0.read(on);
        self
    }

    /// To write.
    pub fn write(mut self, on: bool) -> Self {
        self.0.write(on);
        self
    }

    /// To write at the end.
    pub fn append(mut self, on: bool) -> Self {
        self.0.append(on);
        self
    }

    /// To empty it.
    pub fn truncate(mut self, on: bool) -> Self {
        self.0.truncate(on);
        self
    }

    /// To make it if there is none.
    pub fn create(mut self, on: bool) -> Self {
        self.0.create(on);
        self
    }

    /// To make it, and fail if there is one.
    pub fn create_new(mut self, on: bool) -> Self {
        self.0.create_new(on);
        self
    }

    /// Opens the file.
    ///
    /// # Errors
    /// As [`std::fs::OpenOptions::open`].
    pub async fn open(self, path: impl AsRef<Path>) -> io::Result<File> {
        supported()?;
        let path = path.as_ref().to_owned();
        blocking(move || self.0.open(path)).await.map(File::from_std)
    }
}
