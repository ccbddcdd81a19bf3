//! A server on loopback for a page that is tried or measured, and for what it asks for.
//!
//! Beside the page's files it has `data/quick`, and `data/slow`, whose body comes in pieces until the other end closes
//! the connection, which `data/given-up` counts.

use std::fs::File;
use std::io::{self, Read};
use std::path::{Path, PathBuf};
use std::sync::{
    Arc,
    atomic::{AtomicUsize, Ordering},
};
use std::thread;
use std::time::Duration;

use anyhow::{Result, anyhow};
use tiny_http::{Header, Request, Response, Server};

/// What is served.
#[derive(Clone)]
pub(crate) struct Site {
    /// The folder of the page.
    page: PathBuf,
    /// The folder of what wasm-bindgen made, served as `pkg`.
    made: PathBuf,
    /// How many slow answers the other end did not want to the end.
    given_up: Arc<AtomicUsize>,
}

impl Site {
    pub(crate) fn new(page: &Path, made: &Path) -> Self {
        Self { page: page.into(), made: made.into(), given_up: Arc::default() }
    }

    /// Serves on a free port of loopback until `work`, which is given the address, has ended.
    pub(crate) fn while_served<T>(&self, work: impl FnOnce(&str) -> Result<T>) -> Result<T> {
        let server = Server::http("127.0.0.1:0").map_err(|error| anyhow!("no port can be had: {error}"))?;
        let url = format!("http://{}/", server.server_addr());
        thread::scope(|scope| {
            scope.spawn(|| self.serve(&server));
            let ended = work(&url);
            server.unblock();
            ended
        })
    }

    /// Answers requests until the server is told to stop; each slow one has a thread.
    pub(crate) fn serve(&self, server: &Server) {
        for request in server.incoming_requests() {
            let site = self.clone();
            if request.url().starts_with("/data/slow") {
                thread::spawn(move || site.answer_slowly(request));
            } else {
                site.answer(request);
            }
        }
    }

    fn answer(&self, request: Request) {
        let path = request.url().split('?').next().unwrap_or_default().to_owned();
        let told = match path.as_str() {
            "/data/quick" => request.respond(Response::from_string("0123456789".repeat(100))),
            "/data/given-up" => {
                request.respond(Response::from_string(self.given_up.load(Ordering::SeqCst).to_string()))
            }
            path => match self.file(path).map(|file| (File::open(&file), file)) {
                Some((Ok(opened), file)) => {
                    request.respond(Response::from_file(opened).with_header(type_of(&file)))
                }
                _ => request.respond(Response::from_string("there is no such file").with_status_code(404)),
            },
        };
        // The other end may have gone.
        let _ = told;
    }

    /// The file of a path. Only those of the two folders are served, and only the kinds that a page needs.
    fn file(&self, path: &str) -> Option<PathBuf> {
        let name = if path == "/" { "index.html" } else { path.strip_prefix('/')? };
        let (folder, name) = match name.strip_prefix("pkg/") {
            Some(name) => (&self.made, name),
            None => (&self.page, name),
        };
        let kind = Path::new(name).extension().and_then(|kind| kind.to_str())?;
        let is_plain = !name.contains(['/', '\\']) && !name.starts_with('.');
        (is_plain && ["html", "css", "js", "wasm"].contains(&kind)).then(|| folder.join(name))
    }

    fn answer_slowly(&self, request: Request) {
        let pieces = Pieces { left: 600, given_up: self.given_up.clone() };
        // That the other end has gone is no error of the server's; the pieces tell.
        let _ = request.respond(Response::new(200.into(), Vec::new(), pieces, None, None));
    }
}

/// A body of 1,000 bytes each 50 ms.
struct Pieces {
    left: u32,
    given_up: Arc<AtomicUsize>,
}

impl Drop for Pieces {
    fn drop(&mut self) {
        if self.left > 0 {
            self.given_up.fetch_add(1, Ordering::SeqCst);
        }
    }
}

impl Read for Pieces {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if self.left == 0 {
            return Ok(0);
        }
        self.left -= 1;
        thread::sleep(Duration::from_millis(50));
        let count = buffer.len().min(1000);
        buffer[..count].fill(b'.');
        Ok(count)
    }
}

fn type_of(file: &Path) -> Header {
    let kind = match file.extension().and_then(|kind| kind.to_str()) {
        Some("html") => "text/html; charset=utf-8",
        Some("css") => "text/css; charset=utf-8",
        Some("js") => "text/javascript; charset=utf-8",
        _ => "application/wasm",
    };
    Header::from_bytes("Content-Type", kind).unwrap_or_else(|()| unreachable!("it's a header"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_pages_own_files_are_served() {
        let site = Site::new(Path::new("page"), Path::new("made"));
        let served = |path: &str| site.file(path).map(|file| file.display().to_string());
        assert_eq!(served("/").as_deref(), Some("page/index.html"));
        assert_eq!(served("/style.css").as_deref(), Some("page/style.css"));
        assert_eq!(served("/pkg/a.wasm").as_deref(), Some("made/a.wasm"));
        for refused in
            ["", "/../secret.html", "/.hidden.html", "/Cargo.toml", "/src/lib.rs", "/pkg/../a.js", "//a.js"]
        {
            assert_eq!(served(refused), None, "{refused}");
        }
    }
}
