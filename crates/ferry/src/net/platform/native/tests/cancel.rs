//! Timeouts and cancelled transfers, which the server sees.

use super::{Server, read_request, wait_for_close};
use crate::{
    AsyncError, AsyncRuntime, cancellable,
    net::{FetchErrorKind, Request, fetch},
    promise, spawn, spawn_local, timeout,
};
use std::{io::Write, net::TcpListener, time::Duration};

/// A server that reads a request, sends `answer`, tells, and waits until the client goes.
fn silent_after(answer: &'static [u8]) -> (Server<()>, crate::Future<()>) {
    let (promise, asked) = promise();
    let server = Server::start(move |listener| {
        let mut stream = listener.accept();
        read_request(&mut stream);
        stream.write_all(answer).unwrap();
        let _ = promise.complete(());
        wait_for_close(&mut stream);
    });
    (server, asked)
}

const HALF: &[u8] = b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nhalf";
const SHORT: Duration = Duration::from_millis(20);

#[test]
fn a_request_whose_future_is_dropped_ends_on_the_wire() {
    let (server, asked) = silent_after(b"");
    AsyncRuntime::block_on(async {
        let task = spawn_local(fetch(&server.http()));
        asked.await.unwrap();
        task.abort();
        assert!(matches!(task.await, Err(AsyncError::Cancelled(_))));
        server.join();
    });
}

#[test]
fn a_response_that_is_dropped_ends_on_the_wire() {
    let (server, _asked) = silent_after(HALF);
    AsyncRuntime::block_on(async {
        let response = fetch(&server.http()).await.unwrap();
        drop(response);
        server.join();
    });
}

#[test]
fn a_response_that_is_dropped_after_its_loop_ends_on_the_wire() {
    let (server, _asked) = silent_after(HALF);
    let response = AsyncRuntime::block_on(fetch(&server.http())).unwrap();
    drop(response);
    server.join();
}

#[test]
fn chunks_that_are_dropped_end_on_the_wire() {
    let (server, _asked) = silent_after(HALF);
    AsyncRuntime::block_on(async {
        let mut chunks = fetch(&server.http()).await.unwrap().chunks();
        assert_eq!(chunks.next().await.unwrap().unwrap(), "half");
        drop(chunks);
        server.join();
    });
}

#[test]
fn a_request_to_cancel_arrives_and_ends_the_transfer() {
    let (server, asked) = silent_after(b"");
    let url = server.http();
    AsyncRuntime::block_on(async {
        let task = spawn(async move { cancellable(fetch(&url)).await });
        asked.await.unwrap();
        assert!(task.cancel("not needed"));
        assert_eq!(task.await.unwrap().unwrap_err().message(), "not needed");
        server.join();
    });
}

#[test]
fn a_timeout_around_it_ends_the_transfer() {
    let (server, _asked) = silent_after(b"");
    AsyncRuntime::block_on(async {
        let ended = timeout(SHORT, fetch(&server.http())).await;
        assert_eq!(ended.unwrap_err(), AsyncError::Timeout(SHORT));
        // Where the time was up before the request was out, this one ends the server.
        let _ = timeout(SHORT, fetch(&server.http())).await;
        server.join();
    });
}

#[test]
fn the_requests_own_time_counts_for_its_head_and_its_body() {
    for answer in [&b""[..], HALF] {
        let server = Server::start(move |listener| {
            let mut stream = listener.accept();
            read_request(&mut stream);
            stream.write_all(answer).unwrap();
            wait_for_close(&mut stream);
        });
        let after = Duration::from_millis(200);
        let request = Request::get(&server.http()).timeout(after);
        let ended = AsyncRuntime::block_on(async { request.send().await?.bytes().await });
        assert_eq!(ended.unwrap_err().kind(), &FetchErrorKind::Timeout(after));
        server.join();
    }
}

#[test]
fn no_time_at_all_asks_nobody() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}/", listener.local_addr().unwrap());
    let ended = AsyncRuntime::block_on(Request::get(&url).timeout(Duration::ZERO).send());
    assert_eq!(ended.unwrap_err().kind(), &FetchErrorKind::Timeout(Duration::ZERO));
    listener.set_nonblocking(true).unwrap();
    assert_eq!(listener.accept().unwrap_err().kind(), std::io::ErrorKind::WouldBlock);
}
