//! What fails, and as what.

use super::{Server, name};
use crate::{
    AsyncRuntime,
    net::{FetchError, FetchErrorKind, Request, fetch},
};
use std::{error::Error, io, net::TcpListener};

/// Sends `request`, reads the answer, and gives the error.
fn failure(request: Request) -> FetchError {
    AsyncRuntime::block_on(async { request.send().await?.bytes().await }).expect_err("it fails")
}

#[test]
fn a_request_that_is_none_says_what_is_wrong() {
    let cases = [
        (
            Request::get("not a url"),
            "`not a url` can't be fetched: its scheme is none of http and https; write the \
            whole URL, as https://example.org/",
        ),
        (Request::get("http://"), "`http://` can't be fetched: it is no URL (empty host); correct it"),
        (
            Request::get("ftp://me:secret@h/"),
            "`ftp://h/` can't be fetched: its scheme is none of http and https; \
            write the whole URL, as https://example.org/",
        ),
        (
            Request::get("http://me:secret@h/"),
            "`http://h/` can't be fetched: it has a user name or password in it; \
            send them in a header `authorization`",
        ),
        (
            Request::new("GET IT", "http://h/"),
            "`http://h/` can't be fetched: `GET IT` is no method; use one such as \
            GET or POST",
        ),
        (
            Request::get("http://h/").header("a b", ""),
            "`http://h/` can't be fetched: `a b` is no name of a header; \
            use letters, digits and dashes",
        ),
        (
            Request::get("http://h/").header("a", "b\r\nc: d"),
            "`http://h/` can't be fetched: the value of header `a` \
            is not one line of Latin-1; encode it",
        ),
        (
            Request::get("http://h/").header("a", "☃"),
            "`http://h/` can't be fetched: the value of header `a` is not \
            one line of Latin-1; encode it",
        ),
    ];
    for (request, expected) in cases {
        let error = failure(request);
        assert_eq!((error.kind(), &*error.to_string()), (&FetchErrorKind::BadRequest, expected));
    }
}

#[test]
fn secrets_are_not_shown() {
    let request =
        Request::get("http://me:secret@h/").header("Authorization", "secret").header("accept", "*/*");
    let shown = format!("{request:?}");
    assert!(!shown.contains("secret") && shown.contains("*/*"), "{shown}");
}

#[test]
fn nobody_there_is_told() {
    let gone = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let error = failure(Request::get(&format!("http://{gone}/")));
    assert_eq!(error.kind(), &FetchErrorKind::Unreachable);
    let text = error.to_string();
    assert!(
        text.starts_with(&format!("there is no connection to http://{gone}/: Connection refused")),
        "{text}"
    );
    // No resolver knows this name (RFC 6761).
    assert_eq!(failure(Request::get("http://nowhere.invalid/")).kind(), &FetchErrorKind::Unreachable);
}

#[test]
fn answers_that_are_none_are_told_apart() {
    let huge = format!("HTTP/1.1 200 OK\r\nx-huge: {}\r\n\r\n", "x".repeat(1 << 20));
    let many = format!("HTTP/1.1 200 OK\r\n{}\r\n", "x-many: 1\r\n".repeat(1000));
    let cases: [(&str, &[u8], &str); 9] = [
        ("silence", b"", "Broken"),
        ("nonsense", b"NONSENSE\r\n\r\n", "Broken"),
        ("half a head", b"HTTP/1.1 200 OK\r\nContent-", "Broken"),
        ("huge header", huge.as_bytes(), "Broken"),
        ("many headers", many.as_bytes(), "Broken"),
        ("half a body", b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nhalf", "Broken"),
        ("half a chunk", b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n9\r\nhalf", "Broken"),
        ("no chunk", b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nwhat?\r\n", "Broken"),
        ("no gzip", b"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: 4\r\n\r\nwhat", "Broken"),
    ];
    for (what, answer, expected) in cases {
        let answer = answer.to_vec();
        let server = Server::start(move |listener| listener.answer(&answer));
        let error = failure(Request::get(&server.http()));
        assert_eq!(name(error.kind()), expected, "{what}: {error}");
        server.join();
    }
}

#[test]
fn redirects_without_end_are_given_up() {
    let server = Server::start(|listener| {
        for _ in 0..21 {
            listener.answer(
                b"HTTP/1.1 302 On\r\nLocation: /on\r\nContent-Length: 0\r\nConnection: close\r\n\r\n",
            );
        }
    });
    let error = failure(Request::get(&server.http()));
    assert_eq!(error.kind(), &FetchErrorKind::Redirects, "{error}");
    server.join();
}

#[test]
fn an_error_of_the_body_that_is_sent_ends_the_transfer() {
    let server = Server::start(|listener| super::wait_for_close(&mut listener.accept()));
    let lost = futures_lite::stream::once(Err::<crate::net::Bytes, _>(io::Error::other("the file is gone")));
    let error = failure(Request::post(&server.http()).body_stream(lost));
    assert_eq!(error.kind(), &FetchErrorKind::Broken);
    assert!(error.to_string().contains("the file is gone"), "{error}");
    server.join();
}

#[test]
fn an_error_of_the_network_has_no_source_but_its_text() {
    let error = AsyncRuntime::block_on(fetch("http://nowhere.invalid/")).unwrap_err();
    assert!(error.source().is_none());
}
