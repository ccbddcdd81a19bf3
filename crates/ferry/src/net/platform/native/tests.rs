//! The native network against servers on the loopback, each a thread of its own that a test writes out.

mod body;
mod cancel;
mod failures;
mod fetch;
mod loops;
mod tls;
mod websocket;

use crate::net::FetchErrorKind;
use std::{
    io::{Read, Write},
    net::{TcpListener, TcpStream},
    panic::resume_unwind,
    thread::{self, JoinHandle},
    time::Duration,
};

/// What a server waits for at most, so that a fault fails its test instead of hanging it.
const PATIENCE: Duration = Duration::from_secs(60);

/// A server, and what it has to tell in the end.
struct Server<T> {
    /// `127.0.0.1:port`
    address: String,
    thread: JoinHandle<T>,
}

impl<T: Send + 'static> Server<T> {
    fn start(serve: impl FnOnce(Listener) -> T + Send + 'static) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap().to_string();
        Self { address, thread: thread::spawn(move || serve(Listener(listener))) }
    }

    fn http(&self) -> String {
        format!("http://{}/", self.address)
    }

    fn ws(&self) -> String {
        format!("ws://{}/", self.address)
    }

    fn join(self) -> T {
        self.thread.join().unwrap_or_else(|panic| resume_unwind(panic))
    }
}

struct Listener(TcpListener);

impl Listener {
    fn accept(&self) -> TcpStream {
        let (stream, _) = self.0.accept().unwrap();
        stream.set_read_timeout(Some(PATIENCE)).unwrap();
        stream.set_write_timeout(Some(PATIENCE)).unwrap();
        stream
    }

    /// Takes one request, and gives `answer`.
    fn answer(&self, answer: &[u8]) -> String {
        let mut stream = self.accept();
        let request = read_request(&mut stream);
        // Who has seen enough of the answer goes.
        let _ = stream.write_all(answer);
        request
    }
}

/// Reads up to the end of a request's headers, and the body that they announce.
fn read_request(stream: &mut impl Read) -> String {
    let mut seen = Vec::new();
    let end = loop {
        let mut byte = [0];
        assert_eq!(stream.read(&mut byte).unwrap(), 1, "the client is there");
        seen.push(byte[0]);
        if seen.ends_with(b"\r\n\r\n") {
            break seen.len();
        }
    };
    let head = String::from_utf8_lossy(&seen).to_lowercase();
    if let Some((_, length)) = head.split_once("content-length: ") {
        let length: usize = length.lines().next().unwrap().parse().unwrap();
        seen.resize(end + length, 0);
        stream.read_exact(&mut seen[end..]).unwrap();
    }
    if head.contains("transfer-encoding: chunked") {
        while !seen.ends_with(b"0\r\n\r\n") {
            let mut byte = [0];
            assert_eq!(stream.read(&mut byte).unwrap(), 1, "the client is there");
            seen.push(byte[0]);
        }
    }
    String::from_utf8_lossy(&seen).into_owned()
}

/// Waits until the client has closed the connection.
fn wait_for_close(stream: &mut impl Read) {
    let mut rest = [0; 4096];
    loop {
        match stream.read(&mut rest) {
            Ok(0) => return,
            Ok(_) => {}
            Err(error) => {
                assert_eq!(error.kind(), std::io::ErrorKind::ConnectionReset, "the client closes in time");
                return;
            }
        }
    }
}

fn ok(body: &str) -> Vec<u8> {
    format!("HTTP/1.1 200 OK\r\nContent-Length: {}\r\n\r\n{body}", body.len()).into_bytes()
}

/// The name of a kind, without what it holds.
fn name(kind: &FetchErrorKind) -> String {
    let name = format!("{kind:?}");
    name.split('(').next().unwrap_or_default().to_owned()
}
