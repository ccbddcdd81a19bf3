//! What a cell prints: kept for its outcome, and streamed to whoever listens while it runs.

use pyo3::{prelude::*, types::PyString};
use std::{
    future::poll_fn,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    task::{Context, Poll, Waker},
};

/// Where a cell printed to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stream {
    /// `sys.stdout`.
    Stdout,
    /// `sys.stderr`.
    Stderr,
}

/// A piece of what a cell printed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Chunk {
    /// Where to.
    pub stream: Stream,
    /// Never empty.
    pub text: String,
}

/// What a cell prints, from its beginning, as it comes: by the line, or when it's flushed, as on a terminal.
/// What came meanwhile is one chunk. Each stream of a cell gives all of it.
pub struct OutputStream {
    output: Arc<Output>,
    /// The chunk to read next, and how much of it was read.
    place: (usize, usize),
}

impl OutputStream {
    pub(super) fn new(output: Arc<Output>) -> Self {
        Self { output, place: (0, 0) }
    }

    /// The next chunk, once there is one; `None` when the cell has ended and all was read.
    ///
    /// # Cancel safety
    /// Dropping it half-way loses nothing.
    pub async fn next(&mut self) -> Option<Chunk> {
        poll_fn(|cx| self.poll_next(cx)).await
    }

    fn poll_next(&mut self, cx: &mut Context<'_>) -> Poll<Option<Chunk>> {
        let mut printed = self.output.lock();
        while let Some((stream, text)) = printed.out(self.place.0) {
            let text = &text[self.place.1..];
            if !text.is_empty() {
                self.place.1 += text.len();
                return Poll::Ready(Some(Chunk { stream, text: text.to_owned() }));
            }
            if self.place.0 + 1 == printed.out.0 {
                break;
            }
            self.place = (self.place.0 + 1, 0);
        }
        if printed.closed {
            return Poll::Ready(None);
        }
        if !printed.listeners.iter().any(|listener| listener.will_wake(cx.waker())) {
            printed.listeners.push(cx.waker().clone());
        }
        Poll::Pending
    }
}

/// All that a cell printed.
pub(super) struct Output {
    printed: Mutex<Printed>,
    limit: usize,
}

#[derive(Default)]
struct Printed {
    chunks: Vec<Chunk>,
    /// What streams may give: so many chunks, and so many bytes of the last of these.
    out: (usize, usize),
    /// Bytes that came since.
    held: usize,
    bytes: usize,
    cut: bool,
    closed: bool,
    listeners: Vec<Waker>,
}

impl Output {
    pub(super) fn new(limit: usize) -> Self {
        Self { printed: Mutex::default(), limit }
    }

    /// Adds `text`, as far as the limit allows; `false` when the cell has ended.
    fn write(&self, stream: Stream, text: &str) -> bool {
        let mut printed = self.lock();
        if printed.closed {
            return false;
        }
        if printed.cut || text.is_empty() {
            return true;
        }
        let room = self.limit - printed.bytes;
        printed.push(stream, beginning(text, room));
        if text.len() > room || printed.chunks.len() > self.limit / CHUNK_COST + SOME_CHUNKS {
            printed.cut = true;
            let limit = self.limit;
            printed.push(Stream::Stderr, &format!("\n[output cut off: more than {limit} bytes]\n"));
        }
        if printed.cut || printed.held > HELD || text.contains('\n') {
            Self::let_out(printed);
        }
        true
    }

    fn flush(&self) {
        Self::let_out(self.lock());
    }

    /// Nothing more comes.
    pub(super) fn close(&self) {
        let mut printed = self.lock();
        printed.closed = true;
        Self::let_out(printed);
    }

    fn let_out(mut printed: MutexGuard<'_, Printed>) {
        printed.out = (printed.chunks.len(), printed.chunks.last().map_or(0, |chunk| chunk.text.len()));
        printed.held = 0;
        let listeners = std::mem::take(&mut printed.listeners);
        drop(printed);
        listeners.into_iter().for_each(Waker::wake);
    }

    /// All that went to `stream`.
    pub(super) fn text(&self, stream: Stream) -> String {
        let printed = self.lock();
        printed
            .chunks
            .iter()
            .filter(|chunk| chunk.stream == stream)
            .map(|chunk| chunk.text.as_str())
            .collect()
    }

    /// `text` as far as the limit allows, with a note if that is not all of it.
    pub(super) fn limited(&self, text: String) -> String {
        let kept = beginning(&text, self.limit);
        if kept.len() == text.len() {
            return text;
        }
        format!("{kept}\n[cut off: more than {} bytes]", self.limit)
    }

    fn lock(&self) -> MutexGuard<'_, Printed> {
        self.printed.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Printed {
    /// The chunk at `place`, as far as streams may give it.
    fn out(&self, place: usize) -> Option<(Stream, &str)> {
        let chunk = self.chunks.get(place).filter(|_| place < self.out.0)?;
        let end = if place + 1 == self.out.0 { self.out.1 } else { chunk.text.len() };
        Some((chunk.stream, &chunk.text[..end]))
    }

    fn push(&mut self, stream: Stream, text: &str) {
        self.bytes += text.len();
        self.held += text.len();
        match self.chunks.last_mut() {
            Some(last) if last.stream == stream => last.text.push_str(text),
            _ => self.chunks.push(Chunk { stream, text: text.to_owned() }),
        }
    }
}

/// One byte at a time to alternating streams makes a chunk of each. What they cost counts as well, beyond
/// so many that cost next to nothing.
const CHUNK_COST: usize = 64;
const SOME_CHUNKS: usize = 1000;

/// A line that is longer than this is let out before it ends.
const HELD: usize = 4096;

/// The first `room` bytes of `text`, or a few less where those would end inside a character.
fn beginning(text: &str, room: usize) -> &str {
    let fits = |end: &usize| text.is_char_boundary(*end);
    &text[..(0..=room.min(text.len())).rev().find(fits).unwrap_or(0)]
}

/// The Python side of a cell's output: what `sys.stdout` writes to.
#[pyclass(frozen, module = "asyncferry", name = "_Sink")]
pub(super) struct Sink {
    output: Arc<Output>,
}

impl Sink {
    pub(super) fn new(output: Arc<Output>) -> Self {
        Self { output }
    }
}

#[pymethods]
impl Sink {
    fn write(&self, stream: &str, text: &Bound<'_, PyString>) -> bool {
        let stream = if stream == "stdout" { Stream::Stdout } else { Stream::Stderr };
        // What is no Unicode (a lone surrogate) is replaced.
        self.output.write(stream, &text.to_string_lossy())
    }

    fn flush(&self) {
        self.output.flush();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(stream: &mut OutputStream) -> Option<Option<Chunk>> {
        match stream.poll_next(&mut Context::from_waker(Waker::noop())) {
            Poll::Ready(chunk) => Some(chunk),
            Poll::Pending => None,
        }
    }

    fn chunk(stream: Stream, text: &str) -> Option<Option<Chunk>> {
        Some(Some(Chunk { stream, text: text.to_owned() }))
    }

    #[test]
    fn a_stream_gives_each_piece_once_and_in_order() {
        let output = Arc::new(Output::new(10_000));
        let mut stream = OutputStream::new(output.clone());
        assert_eq!(read(&mut stream), None);
        output.write(Stream::Stdout, "a");
        assert_eq!(read(&mut stream), None, "a line that has not ended is held back");
        output.flush();
        assert_eq!(read(&mut stream), chunk(Stream::Stdout, "a"));
        output.write(Stream::Stdout, "b");
        output.write(Stream::Stdout, "\n");
        output.write(Stream::Stderr, "d\n");
        output.write(Stream::Stderr, "held");
        assert_eq!(read(&mut stream), chunk(Stream::Stdout, "b\n"));
        assert_eq!(read(&mut stream), chunk(Stream::Stderr, "d\n"));
        assert_eq!(read(&mut stream), None);
        output.write(Stream::Stdout, &"e".repeat(HELD + 1));
        assert_eq!(read(&mut stream), chunk(Stream::Stderr, "held"));
        assert_eq!(read(&mut stream), chunk(Stream::Stdout, &"e".repeat(HELD + 1)));
        output.write(Stream::Stdout, "f");
        output.close();
        assert!(!output.write(Stream::Stdout, "late"));
        assert_eq!(read(&mut stream), chunk(Stream::Stdout, "f"));
        assert_eq!(read(&mut stream), Some(None));
        assert_eq!(read(&mut OutputStream::new(output.clone())), chunk(Stream::Stdout, "ab\n"));
        assert_eq!(output.text(Stream::Stderr), "d\nheld");
    }

    #[test]
    fn what_goes_beyond_the_limit_is_cut_between_characters() {
        let output = Output::new(4);
        output.write(Stream::Stdout, "aüü");
        output.write(Stream::Stdout, "more");
        assert_eq!(output.text(Stream::Stdout), "aü");
        assert_eq!(output.text(Stream::Stderr), "\n[output cut off: more than 4 bytes]\n");
        assert_eq!(output.limited("short".to_owned()), "shor\n[cut off: more than 4 bytes]");
        assert_eq!(output.limited("four".to_owned()), "four");
        let output = Output::new(100_000);
        for _ in 0..10_000 {
            output.write(Stream::Stdout, "o");
            output.write(Stream::Stderr, "e");
        }
        assert!(output.lock().chunks.len() < 3000);
    }
}
