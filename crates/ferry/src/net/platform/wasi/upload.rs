//! The body of a request on its way out.

use super::until_ready;
use crate::net::request::Body;
use std::future::poll_fn;
use wasip2::{
    http::types::OutgoingBody,
    io::streams::{OutputStream, StreamError},
};

/// Writes `content`, which stays if it can be sent again; an error is one of its stream's.
pub(super) async fn upload(body: OutgoingBody, content: &mut Body) -> Result<(), String> {
    let Ok(stream) = body.write() else { return Err("its body was taken before".to_owned()) };
    let written = match content {
        Body::Empty => true,
        Body::Bytes(bytes) => write(&stream, bytes).await,
        Body::Stream(upload) => loop {
            match poll_fn(|cx| upload.as_mut().poll_next(cx)).await {
                None => break true,
                Some(Err(error)) => return Err(error.to_string()),
                Some(Ok(chunk)) if write(&stream, &chunk).await => {}
                Some(Ok(_)) => break false,
            }
        },
    };
    drop(stream);
    if written {
        // Where it fails, the answer tells why.
        let _ = OutgoingBody::finish(body, None);
    } else {
        // The server takes no more of it, and its answer tells why.
        drop(body);
    }
    Ok(())
}

/// Writes all of `bytes`; `false` when nobody takes them.
async fn write(stream: &OutputStream, mut bytes: &[u8]) -> bool {
    while !bytes.is_empty() {
        until_ready(stream.subscribe()).await;
        let written = stream.check_write().and_then(|room| {
            let now = bytes.len().min(usize::try_from(room).unwrap_or(usize::MAX));
            stream.write(&bytes[..now]).map(|()| now)
        });
        match written {
            Ok(now) => bytes = &bytes[now..],
            Err(StreamError::Closed | StreamError::LastOperationFailed(_)) => return false,
        }
    }
    stream.flush().is_ok()
}
