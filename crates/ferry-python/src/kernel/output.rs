//! What a cell prints: kept for its outcome, and streamed to whoever listens while it runs.

use super::utf8::Utf8Decoder;
use pyo3::{prelude::*, types::PyString};
use std::{
    collections::BTreeMap,
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
    /// Its key among the listeners.
    number: u64,
    /// The chunk to read next, and how much of it was read.
    place: (usize, usize),
}

impl OutputStream {
    pub(super) fn new(output: Arc<Output>) -> Self {
        let number = {
            let mut printed = output.lock();
            printed.streams += 1;
            printed.streams
        };
        Self { output, number, place: (0, 0) }
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
        // In place of the one that an abandoned `next` left.
        let left = printed.listeners.insert(self.number, cx.waker().clone());
        drop(printed);
        drop(left);
        Poll::Pending
    }
}

impl Drop for OutputStream {
    fn drop(&mut self) {
        // A waker may run code of its own when it's dropped, which must not happen under the lock.
        let left = self.output.lock().listeners.remove(&self.number);
        drop(left);
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
    /// Characters that began and didn't end yet, of each stream.
    decoders: [Utf8Decoder; 2],
    /// How many streams were made.
    streams: u64,
    /// Who waits for more: at most one waker for each stream.
    listeners: BTreeMap<u64, Waker>,
}

impl Output {
    pub(super) fn new(limit: usize) -> Self {
        Self { printed: Mutex::default(), limit }
    }

    /// Adds `text`, as far as the limit allows; `false` when the cell has ended.
    fn write(&self, stream: Stream, text: &str) -> bool {
        self.write_with(stream, |decoder| format!("{}{text}", decoder.finish()))
    }

    /// As [`write`](Self::write), of bytes that may begin or end inside a character.
    fn write_bytes(&self, stream: Stream, bytes: &[u8]) -> bool {
        self.write_with(stream, |decoder| decoder.decode(bytes))
    }

    fn write_with(&self, stream: Stream, text: impl FnOnce(&mut Utf8Decoder) -> String) -> bool {
        let mut printed = self.lock();
        if printed.closed {
            return false;
        }
        if printed.cut {
            return true;
        }
        let text = text(&mut printed.decoders[stream as usize]);
        self.add(&mut printed, stream, &text);
        if printed.cut || printed.held > HELD || text.contains('\n') {
            Self::let_out(printed);
        }
        true
    }

    fn add(&self, printed: &mut Printed, stream: Stream, text: &str) {
        if text.is_empty() || printed.cut {
            return;
        }
        let (limit, room) = (self.limit, self.limit - printed.bytes);
        printed.push(stream, beginning(text, room));
        if text.len() > room || printed.chunks.len() > limit / CHUNK_COST + SOME_CHUNKS {
            printed.cut = true;
            printed.push(Stream::Stderr, &format!("\n[output cut off: more than {limit} bytes]\n"));
        }
    }

    /// Lets out what is held; `false` when the cell has ended.
    fn flush(&self) -> bool {
        let printed = self.lock();
        let open = !printed.closed;
        Self::let_out(printed);
        open
    }

    /// Nothing more comes.
    pub(super) fn close(&self) {
        let mut printed = self.lock();
        if printed.closed {
            return;
        }
        for stream in [Stream::Stdout, Stream::Stderr] {
            let text = printed.decoders[stream as usize].finish();
            self.add(&mut printed, stream, text);
        }
        printed.closed = true;
        Self::let_out(printed);
    }

    fn let_out(mut printed: MutexGuard<'_, Printed>) {
        printed.out = (printed.chunks.len(), printed.chunks.last().map_or(0, |chunk| chunk.text.len()));
        printed.held = 0;
        let listeners = std::mem::take(&mut printed.listeners);
        drop(printed);
        listeners.into_values().for_each(Waker::wake);
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
        // What is no Unicode (a lone surrogate) is replaced.
        self.output.write(named(stream), &text.to_string_lossy())
    }

    fn write_bytes(&self, stream: &str, bytes: &[u8]) -> bool {
        self.output.write_bytes(named(stream), bytes)
    }

    fn flush(&self) -> bool {
        self.output.flush()
    }
}

fn named(stream: &str) -> Stream {
    if stream == "stdout" { Stream::Stdout } else { Stream::Stderr }
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
    #[test]
    fn a_character_may_come_in_pieces_to_each_stream() {
        let output = Output::new(1000);
        for piece in "ü".as_bytes().chunks(1) {
            output.write_bytes(Stream::Stdout, piece);
            output.write_bytes(Stream::Stderr, piece);
        }
        output.write_bytes(Stream::Stdout, b"\xc3");
        output.write(Stream::Stdout, "text\n");
        output.write_bytes(Stream::Stderr, b"\xc3");
        output.close();
        assert_eq!(output.text(Stream::Stdout), "ü\u{fffd}text\n");
        assert_eq!(output.text(Stream::Stderr), "ü\u{fffd}");
    }

    #[test]
    fn a_quiet_cell_keeps_one_waker_for_each_stream() {
        struct Other;
        impl std::task::Wake for Other {
            fn wake(self: Arc<Self>) {}
        }
        let output = Arc::new(Output::new(1000));
        let mut streams = [OutputStream::new(output.clone()), OutputStream::new(output.clone())];
        let wakers: Vec<_> = (0..100).map(|_| Waker::from(Arc::new(Other))).collect();
        for (n, waker) in wakers.iter().enumerate() {
            assert!(streams[n % 2].poll_next(&mut Context::from_waker(waker)).is_pending());
        }
        assert_eq!(output.lock().listeners.len(), 2);
        drop(streams);
        assert_eq!(output.lock().listeners.len(), 0);
    }
}
