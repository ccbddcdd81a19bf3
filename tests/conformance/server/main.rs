//! The server that the tests of the network talk to, from wherever they run: prints its address, and serves until its
//! standard input ends.
//!
//! | path | what it does |
//! |---|---|
//! | `/hello` | says hello |
//! | `/echo` | sends back what was sent, its method in a header |
//! | `/moved` | redirects to `/hello`; `/around` to itself |
//! | `/large` | sends a mebibyte, in chunks |
//! | `/half` | breaks off in the middle of a body |
//! | `/silent/ID`, `/drip/ID` | sends nothing, or half a body, until the client goes |
//! | `/gone/ID` | answers once the client of that is gone |
//! | `/ws` | a WebSocket that sends back what it gets, but for `close` and `large` |

use std::{
    collections::BTreeSet,
    io::{self, BufRead, BufReader, Write},
    net::{TcpListener, TcpStream},
    sync::{Arc, Condvar, Mutex, PoisonError},
    thread,
};
use tungstenite::{
    Message, accept_hdr,
    handshake::server::{Request as Handshake, Response},
    protocol::{CloseFrame, frame::coding::CloseCode},
};

/// The names of the silent requests whose clients are gone.
#[derive(Default)]
struct Gone {
    names: Mutex<BTreeSet<String>>,
    changed: Condvar,
}

fn main() -> io::Result<()> {
    let listener = TcpListener::bind("127.0.0.1:0")?;
    println!("{}", listener.local_addr()?);
    thread::spawn(move || {
        let gone = Arc::new(Gone::default());
        for stream in listener.incoming().flatten() {
            let gone = gone.clone();
            thread::spawn(move || {
                if let Err(error) = serve(stream, &gone) {
                    eprintln!("the server of the tests: {error}");
                }
            });
        }
    });
    io::copy(&mut io::stdin(), &mut io::sink()).map(drop)
}

struct Request {
    method: String,
    path: String,
    body: Vec<u8>,
}

fn serve(stream: TcpStream, gone: &Gone) -> io::Result<()> {
    let mut start = [0; 7];
    let mut seen = 0;
    while seen < start.len() {
        // A client that goes before has asked for nothing.
        seen = match stream.peek(&mut start)? {
            0 => return Ok(()),
            count => count,
        };
    }
    if &start == b"GET /ws" {
        return echo_messages(stream);
    }
    let mut reader = BufReader::new(stream);
    let Request { method, path, body } = read_request(&mut reader)?;
    let mut stream = reader.into_inner();
    let (what, name) = path[1..].split_once('/').unwrap_or((&path[1..], ""));
    match what {
        _ if method == "OPTIONS" => answer(&mut stream, "204 No Content", "", b""),
        "hello" => answer(&mut stream, "200 OK", "x-where: here\r\n", b"hello"),
        "echo" => answer(&mut stream, "201 Created", &format!("x-method: {method}\r\n"), &body),
        "moved" => answer(&mut stream, "302 Found", "location: /hello\r\n", b""),
        "around" => answer(&mut stream, "302 Found", "location: /around\r\n", b""),
        "large" => send_large(&mut stream),
        "half" => {
            begin(&mut stream, "200 OK", "content-length: 9\r\n")?;
            stream.write_all(b"half")
        }
        "drip" => {
            begin(&mut stream, "200 OK", "content-length: 9\r\n")?;
            stream.write_all(b"half")?;
            wait_until_gone(&mut stream, name, gone);
            Ok(())
        }
        "silent" => {
            wait_until_gone(&mut stream, name, gone);
            Ok(())
        }
        "gone" => {
            let mut names = gone.names.lock().unwrap_or_else(PoisonError::into_inner);
            while !names.contains(name) {
                names = gone.changed.wait(names).unwrap_or_else(PoisonError::into_inner);
            }
            answer(&mut stream, "200 OK", "", b"gone")
        }
        _ => answer(&mut stream, "404 Not Found", "", b"there is no such thing"),
    }
}

fn read_request(reader: &mut impl BufRead) -> io::Result<Request> {
    let mut line = String::new();
    reader.read_line(&mut line)?;
    let mut words = line.split(' ').map(str::to_owned);
    let (method, path) = (words.next().unwrap_or_default(), words.next().unwrap_or_default());
    let (mut length, mut is_chunked) = (0, false);
    loop {
        let mut header = String::new();
        if reader.read_line(&mut header)? <= 2 {
            break;
        }
        let header = header.to_lowercase();
        if let Some(value) = header.strip_prefix("content-length:") {
            length = value.trim().parse().map_err(io::Error::other)?;
        }
        is_chunked |= header.starts_with("transfer-encoding:") && header.contains("chunked");
    }
    let mut body = vec![0; length];
    reader.read_exact(&mut body)?;
    while is_chunked {
        let mut size = String::new();
        reader.read_line(&mut size)?;
        let size = usize::from_str_radix(size.trim(), 16).map_err(io::Error::other)?;
        let mut chunk = vec![0; size + 2];
        reader.read_exact(&mut chunk)?;
        body.extend_from_slice(&chunk[..size]);
        is_chunked = size > 0;
    }
    Ok(Request { method, path, body })
}

/// Pages of another origin may read all of it.
fn begin(stream: &mut TcpStream, status: &str, headers: &str) -> io::Result<()> {
    write!(
        stream,
        "HTTP/1.1 {status}\r\nconnection: close\r\naccess-control-allow-origin: *\r\n\
         access-control-allow-methods: *\r\naccess-control-allow-headers: *\r\n\
         access-control-expose-headers: *\r\n{headers}\r\n"
    )
}

fn answer(stream: &mut TcpStream, status: &str, headers: &str, body: &[u8]) -> io::Result<()> {
    begin(stream, status, &format!("content-length: {}\r\n{headers}", body.len()))?;
    stream.write_all(body)
}

fn send_large(stream: &mut TcpStream) -> io::Result<()> {
    begin(stream, "200 OK", "transfer-encoding: chunked\r\n")?;
    for _ in 0..64 {
        stream.write_all(b"4000\r\n")?;
        stream.write_all(&[b'x'; 0x4000])?;
        stream.write_all(b"\r\n")?;
    }
    stream.write_all(b"0\r\n\r\n")
}

fn wait_until_gone(stream: &mut TcpStream, name: &str, gone: &Gone) {
    // However it goes, it's gone.
    let _ = io::copy(stream, &mut io::sink());
    gone.names.lock().unwrap_or_else(PoisonError::into_inner).insert(name.to_owned());
    gone.changed.notify_all();
}

fn echo_messages(stream: TcpStream) -> io::Result<()> {
    #[expect(clippy::result_large_err, reason = "so tungstenite has it")]
    let choose = |request: &Handshake, mut response: Response| {
        if let Some(protocols) = request.headers().get("sec-websocket-protocol") {
            let last = protocols.to_str().unwrap_or_default().rsplit(", ").next().unwrap_or_default();
            let last = last.parse().unwrap_or_else(|_| protocols.clone());
            response.headers_mut().insert("sec-websocket-protocol", last);
        }
        Ok(response)
    };
    let mut socket = accept_hdr(stream, choose).map_err(|error| io::Error::other(error.to_string()))?;
    // It ends when the client is gone.
    while let Ok(message) = socket.read() {
        let answer = match message {
            Message::Text(text) if text == "close" => {
                Message::Close(Some(CloseFrame { code: CloseCode::from(4001), reason: "asked".into() }))
            }
            Message::Text(text) if text == "large" => Message::from(vec![0; 1 << 20]),
            Message::Text(_) | Message::Binary(_) => message,
            _ => continue,
        };
        if socket.send(answer).is_err() {
            break;
        }
    }
    Ok(())
}
