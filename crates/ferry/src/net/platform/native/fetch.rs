//! Requests, on reqwest.

use super::{
    OnPool,
    client::{Client, client},
    is_tls, root,
};
use crate::net::{
    Bytes,
    address::has_scheme,
    error::{FetchError, FetchErrorKind},
    headers::{Headers, bytes_of, text_of},
    request::{Body, Request, Upload},
    response::Head,
};
use http_body::{Body as _, Frame};
use reqwest::{
    Method,
    header::{HeaderMap, HeaderName, HeaderValue},
};
use std::{
    error::Error,
    pin::Pin,
    sync::Mutex,
    task::{Context, Poll},
};
use tokio::runtime::Handle;

/// Sends `request`, and gives the answer's head and its body.
pub(in crate::net) async fn send(request: Request) -> Result<(Head, Incoming), FetchError> {
    let url = request.url.clone();
    let client = client().await.map_err(|error| FetchError::new(FetchErrorKind::Runtime(error), &url, ""))?;
    let request = to_reqwest(request)?;
    if let (Err(why), "https") = (&client.tls, request.url().scheme()) {
        return Err(FetchError::new(FetchErrorKind::Tls, &url, &**why));
    }
    // reqwest's future is made inside the pool's context too.
    let answered = OnPool::new(client.pool, async { client.http.execute(request).await }).await;
    let response = answered.map_err(|error| explain(&error, &url, client))?;
    let mut address = response.url().clone();
    address.set_fragment(None);
    let head = Head {
        status: response.status().as_u16(),
        headers: headers_of(response.headers()),
        url: address.into(),
        length: response.content_length(),
    };
    let body = reqwest::Body::from(response);
    Ok((head, Incoming { pool: client.pool, body }))
}

/// A body on its way in.
pub(in crate::net) struct Incoming {
    pool: &'static Handle,
    body: reqwest::Body,
}

impl Incoming {
    /// The next bytes of the body that came from `url`.
    pub(in crate::net) fn poll_chunk(
        &mut self,
        url: &str,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Bytes, FetchError>>> {
        let _context = self.pool.enter();
        loop {
            return match Pin::new(&mut self.body).poll_frame(cx) {
                Poll::Pending => Poll::Pending,
                Poll::Ready(None) => Poll::Ready(None),
                Poll::Ready(Some(Ok(frame))) => match frame.into_data() {
                    Ok(bytes) if bytes.is_empty() => continue,
                    Ok(bytes) => Poll::Ready(Some(Ok(bytes))),
                    // Trailers.
                    Err(_) => continue,
                },
                Poll::Ready(Some(Err(error))) => {
                    let why = root(&error).to_string();
                    Poll::Ready(Some(Err(FetchError::new(FetchErrorKind::Broken, url, why))))
                }
            };
        }
    }
}

fn to_reqwest(request: Request) -> Result<reqwest::Request, FetchError> {
    let Request { method, url, headers, body, .. } = request;
    let bad = |why: String| FetchError::new(FetchErrorKind::BadRequest, &url, why);
    if !has_scheme(&url, &["http", "https"]) {
        return Err(bad(
            "its scheme is none of http and https; write the whole URL, as https://example.org/".to_owned(),
        ));
    }
    let address =
        reqwest::Url::parse(&url).map_err(|error| bad(format!("it is no URL ({error}); correct it")))?;
    if !address.username().is_empty() || address.password().is_some() {
        return Err(bad(
            "it has a user name or password in it; send them in a header `authorization`".to_owned()
        ));
    }
    let method = Method::from_bytes(method.as_bytes())
        .map_err(|_| bad(format!("`{method}` is no method; use one such as GET or POST")))?;
    let mut built = reqwest::Request::new(method, address);
    for (name, value) in headers.iter() {
        let name = HeaderName::from_bytes(name.as_bytes())
            .map_err(|_| bad(format!("`{name}` is no name of a header; use letters, digits and dashes")))?;
        let value = bytes_of(value).and_then(|value| HeaderValue::from_bytes(&value).ok());
        let value = value.ok_or_else(|| {
            bad(format!("the value of header `{name}` is not one line of Latin-1; encode it"))
        })?;
        built.headers_mut().append(name, value);
    }
    *built.body_mut() = match body {
        Body::Empty => None,
        Body::Bytes(bytes) => Some(bytes.into()),
        Body::Stream(stream) => Some(reqwest::Body::wrap(Outgoing { stream: Mutex::new(stream) })),
    };
    Ok(built)
}

fn headers_of(headers: &HeaderMap) -> Headers {
    let mut found = Headers::default();
    for (name, value) in headers {
        found.push(name.as_str(), text_of(value.as_bytes()));
    }
    found
}

/// What `error` means to whoever asked for `url`.
fn explain(error: &reqwest::Error, url: &str, client: &Client) -> FetchError {
    let why = root(error).to_string();
    let is_connect = error.is_connect();
    match &client.tls {
        _ if error.is_redirect() => FetchError::new(FetchErrorKind::Redirects, url, why),
        // A redirect may lead to TLS as well.
        Err(no_tls) if is_tls(error) => FetchError::new(FetchErrorKind::Tls, url, &**no_tls),
        Ok(_) if is_tls(error) => FetchError::new(FetchErrorKind::Tls, url, why),
        _ if is_connect => FetchError::new(FetchErrorKind::Unreachable, url, why),
        _ if error.is_builder() => FetchError::new(FetchErrorKind::BadRequest, url, why),
        _ => FetchError::new(FetchErrorKind::Broken, url, why),
    }
}

/// A user's stream as a body of HTTP.
struct Outgoing {
    // reqwest asks for `Sync` of a body that it only polls; the lock is never taken.
    stream: Mutex<Upload>,
}

impl http_body::Body for Outgoing {
    type Data = Bytes;
    type Error = Box<dyn Error + Send + Sync>;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Self::Error>>> {
        let stream = self.stream.get_mut().unwrap_or_else(|poisoned| poisoned.into_inner());
        stream.as_mut().poll_next(cx).map(|next| next.map(|chunk| chunk.map(Frame::data)))
    }
}
