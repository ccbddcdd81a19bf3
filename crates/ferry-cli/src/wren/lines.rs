//! `Async.stream("lines", [path])`: the lines of a file, read as they are wanted.

use asyncferry::fs::File;
use asyncferry::jobs::AlreadyRegistered;
use asyncferry_wren::Vm;
use futures_util::stream::{Stream, unfold};

/// What is read at once.
const CHUNK: usize = 64 << 10;
/// A line may have so many bytes.
const LONGEST: usize = 64 << 20;

pub(super) fn register(vm: &Vm) -> Result<(), AlreadyRegistered> {
    vm.register_stream("lines", |(path,): (String,)| lines(path))
}

/// A file that is read.
struct Reader {
    path: String,
    file: Option<File>,
    buffer: Vec<u8>,
    is_over: bool,
}

fn lines(path: String) -> impl Stream<Item = Result<String, String>> {
    let reader = Reader { path, file: None, buffer: Vec::new(), is_over: false };
    unfold(reader, |mut reader| async {
        let line = reader.next().await.transpose()?;
        Some((line, reader))
    })
}

impl Reader {
    async fn next(&mut self) -> Result<Option<String>, String> {
        loop {
            if let Some(end) = self.buffer.iter().position(|byte| *byte == b'\n') {
                let rest = self.buffer.split_off(end + 1);
                let line = std::mem::replace(&mut self.buffer, rest);
                return self.text(line).map(Some);
            }
            if self.is_over {
                let line = std::mem::take(&mut self.buffer);
                return if line.is_empty() { Ok(None) } else { self.text(line).map(Some) };
            }
            if self.buffer.len() > LONGEST {
                return Err(format!("{}: a line is longer than 64 MiB", self.path));
            }
            self.read_on().await.map_err(|error| format!("{}: {error}", self.path))?;
        }
    }

    async fn read_on(&mut self) -> std::io::Result<()> {
        let file = match &mut self.file {
            Some(file) => file,
            None => self.file.insert(File::open(&self.path).await?),
        };
        let mut chunk = vec![0; CHUNK];
        let read = file.read(&mut chunk).await?;
        self.is_over = read == 0;
        self.buffer.extend_from_slice(&chunk[..read]);
        Ok(())
    }

    /// The line without its end.
    fn text(&self, mut line: Vec<u8>) -> Result<String, String> {
        if line.ends_with(b"\n") {
            line.pop();
            if line.ends_with(b"\r") {
                line.pop();
            }
        }
        String::from_utf8(line).map_err(|_| format!("{} is not UTF-8", self.path))
    }
}
