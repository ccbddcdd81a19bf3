//! Bodies: their limit, their pace, their end.

use super::{Listener, PATIENCE, Server, ok, read_request, wait_for_close};
use crate::{
    AsyncRuntime,
    net::{FetchErrorKind, Request, fetch},
};
use std::{
    io::{ErrorKind, Write},
    sync::mpsc,
    time::Duration,
};

#[test]
fn a_body_of_the_limit_passes_and_one_byte_more_does_not() {
    let chunked = |body: &str| {
        let size = body.len();
        let head = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n";
        format!("{head}\r\n1\r\n{}\r\n{:x}\r\n{}\r\n0\r\n\r\n", &body[..1], size - 1, &body[1..]).into_bytes()
    };
    let read = |answer: Vec<u8>| {
        let server = Server::start(move |listener| listener.answer(&answer));
        let request = Request::get(&server.http()).limit(5);
        let read = AsyncRuntime::block_on(async { request.send().await?.bytes().await });
        server.join();
        read.map_err(|error| error.kind().clone())
    };
    for answer in [ok("12345"), chunked("12345")] {
        assert_eq!(read(answer).unwrap(), "12345");
    }
    for answer in [ok("123456"), chunked("123456")] {
        assert_eq!(read(answer), Err(FetchErrorKind::TooLarge(5)));
    }
    assert_eq!(read(ok("")).unwrap(), "");
}

/// A thousand times `x`.
const GZIP: &[u8] =
    b"\x1f\x8b\x08\x00\x00\x00\x00\x00\x02\x03\xab\xa8\x18\x05\xa3\x60\x14\x0c\x77\x00\x00\xe6\xc9\x41\
    \x3b\xe8\x03\x00\x00";

#[test]
fn a_compressed_body_counts_as_what_it_becomes() {
    let read = |limit| {
        let server = Server::start(|listener| {
            let head = format!(
                "HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: {}\r\n\r\n",
                GZIP.len()
            );
            listener.answer(&[head.as_bytes(), GZIP].concat())
        });
        let request = Request::get(&server.http()).limit(limit);
        let read = AsyncRuntime::block_on(async { request.send().await?.text().await });
        assert!(server.join().contains("accept-encoding: gzip\r\n"));
        read.map_err(|error| error.kind().clone())
    };
    assert_eq!(read(1000).unwrap(), "x".repeat(1000));
    assert_eq!(read(999), Err(FetchErrorKind::TooLarge(999)));
}

#[test]
fn a_body_that_is_announced_too_large_is_not_waited_for() {
    let server = Server::start(|listener| {
        let mut stream = listener.accept();
        read_request(&mut stream);
        stream.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 99999999999\r\n\r\n").unwrap();
        wait_for_close(&mut stream);
    });
    let error = AsyncRuntime::block_on(async { fetch(&server.http()).await?.bytes().await }).unwrap_err();
    assert_eq!(error.kind(), &FetchErrorKind::TooLarge(64 << 20));
    server.join();
}

/// More than lies between a server and a client that doesn't read.
const LARGE: usize = 64 << 20;

/// Sends a large body, and says so when the client makes it wait.
fn send_large(listener: &Listener, waits: &mpsc::Sender<()>) {
    let mut stream = listener.accept();
    read_request(&mut stream);
    write!(stream, "HTTP/1.1 200 OK\r\nContent-Length: {LARGE}\r\n\r\n").unwrap();
    stream.set_write_timeout(Some(Duration::from_millis(300))).unwrap();
    let mut sent = 0;
    while sent < LARGE {
        match stream.write(&vec![0; (LARGE - sent).min(1 << 16)]) {
            Ok(count) => sent += count,
            Err(error) => {
                assert!(matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut), "{error}");
                waits.send(()).unwrap();
                stream.set_write_timeout(Some(PATIENCE)).unwrap();
            }
        }
    }
}

#[test]
fn a_server_waits_for_who_does_not_read() {
    let (waits, told) = mpsc::channel();
    let server = Server::start(move |listener| send_large(&listener, &waits));
    let size = AsyncRuntime::block_on(async {
        let mut chunks = fetch(&server.http()).await.unwrap().chunks();
        let mut size = chunks.next().await.unwrap().unwrap().len();
        told.recv().expect("the server is made to wait before it has sent all");
        while let Some(chunk) = chunks.next().await {
            size += chunk.unwrap().len();
        }
        assert!(chunks.next().await.is_none(), "the end stays the end");
        size
    });
    assert_eq!(size, LARGE);
    server.join();
}

#[test]
fn what_came_before_a_break_is_read_and_then_the_error_once() {
    let server =
        Server::start(|listener| listener.answer(b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nhalf"));
    AsyncRuntime::block_on(async {
        let mut chunks = fetch(&server.http()).await.unwrap().chunks();
        assert_eq!(chunks.next().await.unwrap().unwrap(), "half");
        let error = chunks.next().await.unwrap().unwrap_err();
        assert_eq!(error.kind(), &FetchErrorKind::Broken, "{error}");
        assert!(chunks.next().await.is_none());
    });
    server.join();
}
