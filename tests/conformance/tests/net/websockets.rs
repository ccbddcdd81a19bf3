//! WebSockets, where there are any.

use super::{is_not_supported, server};
use asyncferry::{
    net::{CloseFrame, Message, WebSocket, WebSocketErrorKind, WebSocketOptions},
    spawn_local,
};
use asyncferry_conformance::{platform::has_websockets, real_clock};

fn url() -> String {
    format!("ws://{}/ws", server())
}

mod a_platform_without_them_says_so {
    use super::*;

    real_clock!(async {
        if !has_websockets() {
            assert!(is_not_supported(&WebSocket::connect("ws://localhost/", &[]).await.unwrap_err()));
        }
    });
}

mod messages_come_back_and_so_does_a_close {
    use super::*;

    real_clock!(async {
        if has_websockets() {
            let mut socket = WebSocket::connect(&url(), &["v2", "v1"]).await.unwrap();
            assert_eq!(socket.protocol(), Some("v1"));
            for message in [Message::from("text ☃"), Message::from(""), vec![7; 3 << 20].into()] {
                socket.send(message.clone()).await.unwrap();
                assert!(socket.recv().await == Some(Ok(message)));
            }
            socket.close(3001, "enough").await.unwrap();
            assert_eq!(socket.recv().await, None);
            let expected = CloseFrame { code: 3001, reason: "enough".to_owned() };
            assert_eq!(socket.close_frame(), Some(expected));
            assert_eq!(socket.send("more").await.unwrap_err().kind(), &WebSocketErrorKind::Closed);
        }
    });
}

mod the_server_may_close {
    use super::*;

    real_clock!(async {
        if has_websockets() {
            let mut socket = WebSocket::connect(&url(), &[]).await.unwrap();
            assert_eq!(socket.protocol(), None);
            socket.send("close").await.unwrap();
            assert_eq!(socket.recv().await, None);
            let expected = CloseFrame { code: 4001, reason: "asked".to_owned() };
            assert_eq!(socket.close_frame(), Some(expected));
        }
    });
}

mod what_is_too_large_ends_it {
    use super::*;

    real_clock!(async {
        if has_websockets() {
            let options = WebSocketOptions { max_message: 1000, ..WebSocketOptions::default() };
            let mut socket = WebSocket::connect_with(&url(), &[], options).await.unwrap();
            socket.send("large").await.unwrap();
            let error = socket.recv().await.unwrap().unwrap_err();
            assert_eq!(error.kind(), &WebSocketErrorKind::TooLarge(1000));
            assert_eq!(socket.recv().await, None);
        }
    });
}

mod what_is_not_received_is_bounded {
    use super::*;

    // Natively the server waits; a page can't make it wait, and so the WebSocket ends.
    real_clock!(async {
        if has_websockets() {
            let options = WebSocketOptions { buffer: 1000, ..WebSocketOptions::default() };
            let mut socket = WebSocket::connect_with(&url(), &[], options).await.unwrap();
            for _ in 0..8 {
                socket.send(vec![0; 500]).await.unwrap();
            }
            socket.send("close").await.unwrap();
            asyncferry::sleep(std::time::Duration::from_millis(200)).await;
            let mut count = 0;
            let end = loop {
                match socket.recv().await {
                    Some(Ok(_)) => count += 1,
                    Some(Err(error)) => break Some(error.kind().clone()),
                    None => break None,
                }
            };
            match end {
                None => assert_eq!(count, 8),
                Some(kind) => assert_eq!((count, kind), (1, WebSocketErrorKind::Overrun(1000))),
            }
        }
    });
}

mod two_tasks_use_its_halves {
    use super::*;

    real_clock!(async {
        if has_websockets() {
            let (sender, mut receiver) = WebSocket::connect(&url(), &[]).await.unwrap().split();
            let sending = spawn_local(async move {
                for number in 0..100 {
                    sender.send(number.to_string()).await?;
                }
                sender.send("close").await
            });
            for number in 0..100 {
                assert_eq!(receiver.recv().await, Some(Ok(Message::from(number.to_string()))));
            }
            assert_eq!(receiver.recv().await, None);
            assert_eq!(sending.await, Ok(Ok(())));
        }
    });
}

mod what_can_not_be_opened_says_so {
    use super::*;

    real_clock!(async {
        if has_websockets() {
            let error = WebSocket::connect(&format!("ws://{}/hello", server()), &[]).await.unwrap_err();
            let kinds = [WebSocketErrorKind::Refused, WebSocketErrorKind::Unreachable];
            assert!(kinds.contains(error.kind()), "{error}");
            let error = WebSocket::connect("ws://127.0.0.1:2/", &[]).await.unwrap_err();
            assert_eq!(error.kind(), &WebSocketErrorKind::Unreachable, "{error}");
        }
    });
}
