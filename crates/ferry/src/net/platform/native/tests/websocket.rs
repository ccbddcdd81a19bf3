//! WebSockets, against tungstenite's own server and against one that keeps no rule.

use super::{Server, read_request, wait_for_close};
use crate::{
    AsyncError, AsyncRuntime,
    net::{CloseFrame, Message, WebSocket, WebSocketError, WebSocketErrorKind, WebSocketOptions},
    promise, spawn_local, timeout,
};
use std::{
    io::{self, ErrorKind, Write},
    net::{TcpListener, TcpStream},
    pin::pin,
    sync::mpsc,
    time::Duration,
};
use tokio_tungstenite::tungstenite::{
    self, Message as Frame, accept, accept_hdr,
    handshake::{
        derive_accept_key,
        server::{Request, Response},
    },
    protocol::{CloseFrame as TheirClose, frame::coding::CloseCode},
};

type Peer = tungstenite::WebSocket<TcpStream>;

/// A server with one WebSocket.
fn peer<T: Send + 'static>(serve: impl FnOnce(Peer) -> T + Send + 'static) -> Server<T> {
    Server::start(|listener| serve(accept(listener.accept()).unwrap()))
}

/// Sends back what comes, until it's closed; gives the frame that closed it.
fn echo(mut peer: Peer) -> Option<(u16, String)> {
    loop {
        match peer.read() {
            Ok(Frame::Close(frame)) => {
                let seen = frame.map(|frame| (frame.code.into(), frame.reason.to_string()));
                // The answer to it.
                while peer.read().is_ok() {}
                return seen;
            }
            Ok(message) => peer.send(message).unwrap(),
            Err(error) => panic!("it was not closed: {error}"),
        }
    }
}

fn close(code: u16, reason: &str) -> Frame {
    Frame::Close(Some(TheirClose { code: CloseCode::from(code), reason: reason.into() }))
}

#[test]
fn messages_come_back_and_the_code_of_the_close_with_them() {
    let server = peer(echo);
    AsyncRuntime::block_on(async {
        let mut socket = WebSocket::connect(&server.ws(), &[]).await.unwrap();
        assert_eq!((socket.protocol(), socket.close_frame()), (None, None));
        for message in
            [Message::from("text ☃"), Message::from(""), Message::from(vec![0, 255]), vec![7; 1 << 20].into()]
        {
            socket.send(message.clone()).await.unwrap();
            assert_eq!(socket.recv().await, Some(Ok(message)));
        }
        socket.close(4001, "enough").await.unwrap();
        assert_eq!(socket.recv().await, None);
        assert_eq!(socket.close_frame(), Some(CloseFrame { code: 4001, reason: "enough".to_owned() }));
        let error = socket.send("more").await.unwrap_err();
        assert_eq!(error.kind(), &WebSocketErrorKind::Closed);
        assert_eq!(socket.close(1000, "").await.unwrap_err().kind(), &WebSocketErrorKind::Closed);
    });
    assert_eq!(server.join(), Some((4001, "enough".to_owned())));
}

#[test]
fn one_that_is_dropped_is_closed() {
    let server = peer(echo);
    let socket = AsyncRuntime::block_on(WebSocket::connect(&server.ws(), &[])).unwrap();
    let (sender, receiver) = socket.split();
    drop(receiver);
    // It's open as long as a half is there, and what comes is for nobody.
    AsyncRuntime::block_on(sender.send("hello")).unwrap();
    drop(sender);
    assert_eq!(server.join(), Some((1000, String::new())));
}

#[test]
fn the_peer_may_close() {
    let server = peer(|mut peer| {
        peer.send("bye".into()).unwrap();
        peer.send(close(3999, "tired")).unwrap();
        peer.read()
    });
    AsyncRuntime::block_on(async {
        let mut socket = WebSocket::connect(&server.ws(), &[]).await.unwrap();
        assert_eq!(socket.recv().await, Some(Ok("bye".into())));
        assert_eq!(socket.recv().await, None);
        assert_eq!(socket.recv().await, None);
        assert_eq!(socket.close_frame(), Some(CloseFrame { code: 3999, reason: "tired".to_owned() }));
        assert_eq!(socket.send("more").await.unwrap_err().kind(), &WebSocketErrorKind::Closed);
    });
    assert!(server.join().unwrap().is_close(), "the close is answered");
}

#[test]
fn a_close_without_a_code_is_1005() {
    let server = peer(|mut peer| {
        peer.send(Frame::Close(None)).unwrap();
        peer.read()
    });
    AsyncRuntime::block_on(async {
        let mut socket = WebSocket::connect(&server.ws(), &[]).await.unwrap();
        assert_eq!(socket.recv().await, None);
        assert_eq!(socket.close_frame(), Some(CloseFrame { code: 1005, reason: String::new() }));
    });
    assert!(server.join().unwrap().is_close());
}

#[test]
fn pings_are_answered_by_themselves() {
    let server = peer(|mut peer| {
        peer.send(Frame::Ping("there?".into())).unwrap();
        let pong = peer.read().unwrap();
        peer.send("seen".into()).unwrap();
        pong
    });
    AsyncRuntime::block_on(async {
        let mut socket = WebSocket::connect(&server.ws(), &[]).await.unwrap();
        assert_eq!(socket.recv().await, Some(Ok("seen".into())));
    });
    assert_eq!(server.join(), Frame::Pong("there?".into()));
}

#[test]
fn the_server_chooses_a_subprotocol() {
    #[expect(clippy::result_large_err, reason = "so tungstenite has it")]
    let choose = |request: &Request, mut response: Response| {
        assert_eq!(request.headers()["sec-websocket-protocol"], "v2, v1");
        response.headers_mut().insert("sec-websocket-protocol", "v1".parse().unwrap());
        Ok(response)
    };
    let server = Server::start(move |listener| echo(accept_hdr(listener.accept(), choose).unwrap()));
    let socket = AsyncRuntime::block_on(WebSocket::connect(&server.ws(), &["v2", "v1"])).unwrap();
    assert_eq!(socket.protocol(), Some("v1"));
    drop(socket);
    server.join();
}

fn connect(url: &str, protocols: &[&str]) -> WebSocketError {
    AsyncRuntime::block_on(WebSocket::connect(url, protocols)).expect_err("it can't be opened")
}

#[test]
fn what_can_not_be_opened_says_why() {
    let bad = [
        ("http://h/", &[][..]),
        ("ws://", &[]),
        ("ws://h/ /", &[]),
        ("ws://h/", &["a b"]),
        ("ws://h/", &[""]),
    ];
    for (url, protocols) in bad {
        let error = connect(url, protocols);
        assert_eq!(error.kind(), &WebSocketErrorKind::BadRequest, "{url}: {error}");
    }
    let gone = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let error = connect(&format!("ws://me:secret@{gone}/"), &[]);
    assert_eq!(error.kind(), &WebSocketErrorKind::Unreachable);
    assert!(error.to_string().starts_with(&format!("there is no connection to ws://{gone}/: ")), "{error}");

    let answers: [&[u8]; 4] = [
        b"HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n",
        b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\r\n",
        b"NONSENSE\r\n\r\n",
        b"",
    ];
    for answer in answers {
        let server = Server::start(move |listener| listener.answer(answer));
        let error = connect(&server.ws(), &[]);
        assert_eq!(
            error.kind(),
            &WebSocketErrorKind::Refused,
            "{}: {error}",
            String::from_utf8_lossy(answer)
        );
        server.join();
    }
    let server = peer(|_| ());
    let error = connect(&server.ws(), &["v1"]);
    assert_eq!(error.kind(), &WebSocketErrorKind::Refused, "{error}");
    server.join();
}

#[test]
fn a_close_of_another_code_or_a_long_reason_is_refused() {
    let server = peer(echo);
    AsyncRuntime::block_on(async {
        let socket = WebSocket::connect(&server.ws(), &[]).await.unwrap();
        for (code, reason) in [(999, ""), (1001, ""), (5000, ""), (1000, &*"é".repeat(62))] {
            let error = socket.close(code, reason).await.unwrap_err();
            assert_eq!(error.kind(), &WebSocketErrorKind::BadRequest, "{code} {reason}");
        }
        socket.close(4999, &"x".repeat(123)).await.unwrap();
    });
    assert_eq!(server.join(), Some((4999, "x".repeat(123))));
}

#[test]
fn a_message_that_is_too_large_ends_it_with_1009() {
    let options = WebSocketOptions { max_message: 1000, ..WebSocketOptions::default() };
    let server = peer(|mut peer| {
        peer.send(vec![0; 1000].into()).unwrap();
        // Large enough that it is not all out when the client has seen its size.
        peer.send(vec![0; 32 << 20].into()).unwrap();
        peer.read()
    });
    AsyncRuntime::block_on(async {
        let mut socket = WebSocket::connect_with(&server.ws(), &[], options).await.unwrap();
        assert_eq!(socket.recv().await.unwrap().unwrap().len(), 1000);
        let error = socket.recv().await.unwrap().unwrap_err();
        assert_eq!(error.kind(), &WebSocketErrorKind::TooLarge(1000));
        assert_eq!(socket.recv().await, None);
        assert_eq!(socket.send("more").await.unwrap_err().kind(), &WebSocketErrorKind::Closed);
    });
    assert_eq!(server.join().unwrap(), close(1009, ""));
}

/// A server that shakes hands, and then sends what it likes.
fn rude(then: impl FnOnce(&mut TcpStream) -> io::Result<()> + Send + 'static) -> Server<()> {
    Server::start(|listener| {
        let mut stream = listener.accept();
        let request = read_request(&mut stream);
        let (_, key) = request.split_once("Sec-WebSocket-Key: ").unwrap();
        let key = derive_accept_key(key.lines().next().unwrap().as_bytes());
        write!(
            stream,
            "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\
             Sec-WebSocket-Accept: {key}\r\n\r\n"
        )
        .unwrap();
        then(&mut stream).unwrap();
    })
}

#[test]
fn what_is_no_message_breaks_it() {
    let cases: [(&str, &[u8]); 4] = [
        ("gone", b""),
        ("half a message", b"\x81\x05hel"),
        ("no frame", b"\xff\xff\xff\xff"),
        ("no text", b"\x81\x02\xff\xff"),
    ];
    for (what, bytes) in cases {
        let server = rude(|stream| stream.write_all(bytes));
        AsyncRuntime::block_on(async {
            let mut socket = WebSocket::connect(&server.ws(), &[]).await.unwrap();
            let error = socket.recv().await.unwrap().unwrap_err();
            assert_eq!(error.kind(), &WebSocketErrorKind::Broken, "{what}: {error}");
            assert_eq!((socket.recv().await, socket.close_frame()), (None, None), "{what}");
        });
        server.join();
    }
}

/// More than lies between two ends of which one doesn't read.
const LARGE: usize = 64 << 20;

#[test]
fn who_sends_waits_for_a_server_that_does_not_read() {
    let (go, gone) = mpsc::channel();
    let server = peer(move |mut peer| {
        gone.recv().unwrap();
        peer.read().unwrap().len()
    });
    AsyncRuntime::block_on(async {
        let socket = WebSocket::connect(&server.ws(), &[]).await.unwrap();
        let mut sending = pin!(socket.send(vec![0; LARGE / 4]));
        let patience = Duration::from_millis(100);
        assert_eq!(timeout(patience, &mut sending).await, Err(AsyncError::Timeout(patience)));
        go.send(()).unwrap();
        sending.await.unwrap();
    });
    assert_eq!(server.join(), LARGE / 4);
}

#[test]
fn a_server_waits_for_who_does_not_receive() {
    const EACH: usize = 1 << 20;
    let (waits, told) = mpsc::channel();
    let server = peer(move |mut peer| {
        peer.get_mut().set_write_timeout(Some(Duration::from_millis(300))).unwrap();
        let mut message = Some(Frame::from(vec![0; EACH]));
        for _ in 0..LARGE / EACH {
            let mut sent = peer.send(message.take().unwrap());
            while let Err(tungstenite::Error::Io(error)) = &sent {
                assert!(matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut), "{error}");
                waits.send(()).unwrap();
                peer.get_mut().set_write_timeout(Some(super::PATIENCE)).unwrap();
                sent = peer.flush();
            }
            sent.unwrap();
            message = Some(Frame::from(vec![0; EACH]));
        }
        echo(peer)
    });
    AsyncRuntime::block_on(async {
        let options = WebSocketOptions { buffer: 2 * EACH, ..WebSocketOptions::default() };
        let mut socket = WebSocket::connect_with(&server.ws(), &[], options).await.unwrap();
        told.recv().expect("the server is made to wait before it has sent all");
        for _ in 0..LARGE / EACH {
            assert_eq!(socket.recv().await.unwrap().unwrap().len(), EACH);
        }
    });
    assert_eq!(server.join(), Some((1000, String::new())));
}

#[test]
fn halves_are_used_by_two_tasks_at_once() {
    const COUNT: u32 = 1000;
    let server = peer(echo);
    AsyncRuntime::block_on(async {
        let (sender, mut receiver) = WebSocket::connect(&server.ws(), &[]).await.unwrap().split();
        let sending = spawn_local(async move {
            for number in 0..COUNT {
                sender.send(number.to_string()).await?;
            }
            sender.close(1000, "").await
        });
        for number in 0..COUNT {
            assert_eq!(receiver.recv().await, Some(Ok(Message::from(number.to_string()))));
        }
        assert_eq!(receiver.recv().await, None);
        assert_eq!(sending.await, Ok(Ok(())));
    });
    server.join();
}

#[test]
fn connecting_can_be_dropped() {
    let (promise, asked) = promise();
    let server = Server::start(move |listener| {
        let mut stream = listener.accept();
        read_request(&mut stream);
        let _ = promise.complete(());
        wait_for_close(&mut stream);
    });
    let url = server.ws();
    AsyncRuntime::block_on(async {
        let task = spawn_local(async move { WebSocket::connect(&url, &[]).await.map(drop) });
        asked.await.unwrap();
        task.abort();
        let _ = task.await;
        server.join();
    });
}
