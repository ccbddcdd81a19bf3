//! What is sent, and what comes back.

use super::{Server, ok};
use crate::{
    AsyncRuntime,
    net::{Bytes, Request, fetch},
};
use futures_lite::{StreamExt, stream};

#[test]
fn an_answer_has_its_status_headers_url_and_body() {
    let server = Server::start(|listener| {
        listener.answer(b"HTTP/1.1 203 Fine\r\nX-A: 1\r\nx-a: caf\xe9\r\nContent-Length: 2\r\n\r\nhi")
    });
    let url = server.http();
    AsyncRuntime::block_on(async {
        let response = fetch(&format!("{url}#part")).await.unwrap();
        assert_eq!((response.status(), response.ok(), response.url()), (203, true, &*url));
        assert_eq!(response.headers().get_all("X-A").collect::<Vec<_>>(), ["1", "café"]);
        assert_eq!(response.text().await.unwrap(), "hi");
    });
    let request = server.join();
    assert!(request.starts_with("GET / HTTP/1.1\r\n"), "{request}");
    assert!(request.contains("user-agent: asyncferry/"), "{request}");
}

#[test]
fn a_request_has_its_method_headers_and_body() {
    let sent = |request: fn(Request) -> Request| {
        let server = Server::start(|listener| listener.answer(&ok("")));
        let request = request(Request::new("PATCH", &server.http()));
        assert!(AsyncRuntime::block_on(request.send()).unwrap().ok());
        server.join()
    };
    let bytes = sent(|request| request.header("X-B", "tschüss").header("x-b", "2").body(vec![b'7'; 3]));
    assert!(bytes.starts_with("PATCH / HTTP/1.1\r\n") && bytes.ends_with("\r\n\r\n777"), "{bytes}");
    assert!(
        bytes.contains("x-b: tsch\u{fffd}ss\r\nx-b: 2\r\n"),
        "in Latin-1, which the server reads as UTF-8: {bytes}"
    );
    let text = sent(|request| request.text("☃"));
    assert!(
        text.contains("content-type: text/plain;charset=UTF-8\r\n") && text.ends_with("\r\n\r\n☃"),
        "{text}"
    );
    let html = sent(|request| request.header("Content-Type", "text/html").text("<p>"));
    assert!(html.contains("content-type: text/html\r\n") && !html.contains("text/plain"), "{html}");
    let streamed = sent(|request| {
        request
            .body_stream(stream::iter(["one", "two"]).map(|part| Ok::<_, std::io::Error>(Bytes::from(part))))
    });
    assert!(streamed.ends_with("\r\n\r\n3\r\none\r\n3\r\ntwo\r\n0\r\n\r\n"), "{streamed}");
}

#[test]
fn redirects_are_followed_as_browsers_do() {
    let redirected = |status: u16| {
        let server = Server::start(move |listener| {
            let first = listener.answer(
                format!(
                    "HTTP/1.1 {status} There\r\nLocation: /there#part\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"
                )
                .as_bytes(),
            );
            (first, listener.answer(&ok("arrived")))
        });
        let url = server.http();
        AsyncRuntime::block_on(async {
            let response = Request::post(&url).body("parcel").send().await.unwrap();
            assert_eq!(response.url(), format!("{url}there"));
            assert_eq!(response.text().await.unwrap(), "arrived");
        });
        let (first, second) = server.join();
        assert!(first.starts_with("POST / ") && first.ends_with("parcel"), "{first}");
        second
    };
    for status in [301, 302, 303] {
        let second = redirected(status);
        assert!(second.starts_with("GET /there ") && second.ends_with("\r\n\r\n"), "{status}: {second}");
    }
    for status in [307, 308] {
        let second = redirected(status);
        assert!(second.starts_with("POST /there ") && second.ends_with("parcel"), "{status}: {second}");
    }
}

#[test]
fn a_text_is_utf_8_without_its_mark() {
    let server = Server::start(|listener| {
        listener.answer(b"HTTP/1.1 200 OK\r\nContent-Length: 8\r\n\r\n\xEF\xBB\xBFcaf\xe9!")
    });
    let text = AsyncRuntime::block_on(async { fetch(&server.http()).await.unwrap().text().await.unwrap() });
    assert_eq!(text, "caf\u{fffd}!");
    server.join();
}
