//! HTTP on WASI 0.2: wasi:http, whose host makes the connections. Redirects are followed here, as the host doesn't.

mod redirect;
mod upload;

use crate::{
    net::{
        Bytes,
        address::has_scheme,
        error::{FetchError, FetchErrorKind},
        headers::{Headers, bytes_of, text_of},
        request::{Body, Request},
        response::Head,
    },
    wasi::ready,
};
use redirect::Redirected;
use std::{
    future::Future,
    mem,
    pin::Pin,
    rc::Rc,
    task::{Context, Poll},
};
use upload::upload;
use url::Url;
use wasip2::{
    http::{
        outgoing_handler::handle,
        types::{
            ErrorCode, Fields, IncomingBody, IncomingResponse, Method, OutgoingBody, OutgoingRequest, Scheme,
            http_error_code,
        },
    },
    io::{
        poll::Pollable,
        streams::{InputStream, StreamError},
    },
};

/// How many bytes are read at once, at most.
const READ: u64 = 64 << 10;

/// Waits until the host is done with what `pollable` stands for, which is dropped then, before what it was made of.
async fn until_ready(pollable: Pollable) {
    ready(Rc::new(pollable)).await;
}

/// Sends `request`, and gives the answer's head and its body.
pub(in crate::net) async fn send(mut request: Request) -> Result<(Head, Incoming), FetchError> {
    let asked = request.url.clone();
    let mut url = parse(&request)?;
    if request.headers.get("user-agent").is_none() {
        request.headers.push("user-agent", concat!("asyncferry/", env!("CARGO_PKG_VERSION")));
    }
    for _ in 0..=redirect::MOST {
        let response = exchange(&mut request, &url).await?;
        let head = head_of(&response, &url);
        url = match redirect::follow(&mut request, &url, &head)? {
            Redirected::To(url) => url,
            Redirected::Not => {
                let body = response.consume().map_err(|()| broken(&asked, "its body was taken before"))?;
                return Ok((head, Incoming::new(body, &asked)?));
            }
        };
    }
    Err(FetchError::new(FetchErrorKind::Redirects, &asked, ""))
}

fn parse(request: &Request) -> Result<Url, FetchError> {
    let bad = |why: String| FetchError::new(FetchErrorKind::BadRequest, &request.url, why);
    if !has_scheme(&request.url, &["http", "https"]) {
        return Err(bad(
            "its scheme is none of http and https; write the whole URL, as https://example.org/".to_owned(),
        ));
    }
    let url = Url::parse(&request.url).map_err(|error| bad(format!("it is no URL ({error}); correct it")))?;
    if !url.username().is_empty() || url.password().is_some() {
        return Err(bad(
            "it has a user name or password in it; send them in a header `authorization`".to_owned()
        ));
    }
    Ok(url)
}

/// Sends one request, and gives the answer to it.
async fn exchange(request: &mut Request, url: &Url) -> Result<IncomingResponse, FetchError> {
    let asked = request.url.clone();
    let (outgoing, body) = outgoing(request, url)?;
    let answering = handle(outgoing, None).map_err(|error| explain(&error, &asked))?;
    upload(body, &mut request.body).await.map_err(|why| broken(&asked, why))?;
    let answered = loop {
        // The pollable goes before what it belongs to.
        until_ready(answering.subscribe()).await;
        if let Some(answered) = answering.get() {
            break answered;
        }
    };
    match answered {
        Ok(Ok(response)) => Ok(response),
        Ok(Err(error)) => Err(explain(&error, &asked)),
        Err(()) => Err(broken(&asked, "the host gave its answer before")),
    }
}

fn outgoing(request: &Request, url: &Url) -> Result<(OutgoingRequest, OutgoingBody), FetchError> {
    let bad = |why: String| FetchError::new(FetchErrorKind::BadRequest, &request.url, why);
    let outgoing = OutgoingRequest::new(fields(request)?);
    let scheme = if url.scheme() == "https" { Scheme::Https } else { Scheme::Http };
    let path = match url.query() {
        Some(query) => format!("{}?{query}", url.path()),
        None => url.path().to_owned(),
    };
    let port = url.port().map(|port| format!(":{port}")).unwrap_or_default();
    let authority = format!("{}{port}", url.host_str().unwrap_or_default());
    outgoing
        .set_method(&method_of(&request.method))
        .map_err(|()| bad(format!("`{}` is no method; use one such as GET or POST", request.method)))?;
    let is_set = outgoing.set_scheme(Some(&scheme)).is_ok()
        && outgoing.set_authority(Some(&authority)).is_ok()
        && outgoing.set_path_with_query(Some(&path)).is_ok();
    let body = outgoing.body().ok().filter(|_| is_set);
    let body = body.ok_or_else(|| bad("the host refuses the URL; correct it".to_owned()))?;
    Ok((outgoing, body))
}

fn fields(request: &Request) -> Result<Fields, FetchError> {
    let bad = |why: String| FetchError::new(FetchErrorKind::BadRequest, &request.url, why);
    let fields = Fields::new();
    for (name, value) in request.headers.iter() {
        let value = bytes_of(value).ok_or_else(|| {
            bad(format!("the value of header `{name}` is not one line of Latin-1; encode it"))
        })?;
        fields
            .append(name, &value)
            .map_err(|error| bad(format!("the host refuses header `{name}` ({error:?}); leave it out")))?;
    }
    if let Body::Bytes(bytes) = &request.body {
        fields
            .set("content-length", &[bytes.len().to_string().into_bytes()])
            .map_err(|error| bad(format!("the host refuses the body's length ({error:?})")))?;
    }
    Ok(fields)
}

fn method_of(method: &str) -> Method {
    match method {
        "GET" => Method::Get,
        "HEAD" => Method::Head,
        "POST" => Method::Post,
        "PUT" => Method::Put,
        "DELETE" => Method::Delete,
        "CONNECT" => Method::Connect,
        "OPTIONS" => Method::Options,
        "TRACE" => Method::Trace,
        "PATCH" => Method::Patch,
        other => Method::Other(other.to_owned()),
    }
}

fn head_of(response: &IncomingResponse, url: &Url) -> Head {
    let mut headers = Headers::default();
    for (name, value) in response.headers().entries() {
        headers.push(&name, text_of(&value));
    }
    let mut url = url.clone();
    url.set_fragment(None);
    Head { status: response.status(), headers, url: url.into(), length: None }
}

/// A body on its way in.
pub(in crate::net) enum Incoming {
    Resting(Source),
    Reading(Reading),
    Ended,
}

type Reading = Pin<Box<dyn Future<Output = (Source, Option<Result<Bytes, String>>)>>>;

/// The stream goes before the body that it belongs to.
pub(in crate::net) struct Source {
    stream: InputStream,
    _body: IncomingBody,
}

impl Incoming {
    fn new(body: IncomingBody, url: &str) -> Result<Self, FetchError> {
        let stream = body.stream().map_err(|()| broken(url, "its body was read before"))?;
        Ok(Self::Resting(Source { stream, _body: body }))
    }

    /// The next bytes of the body that came from `url`.
    pub(in crate::net) fn poll_chunk(
        &mut self,
        url: &str,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Bytes, FetchError>>> {
        loop {
            match mem::replace(self, Self::Ended) {
                Self::Ended => return Poll::Ready(None),
                Self::Resting(source) => *self = Self::Reading(Box::pin(read(source))),
                Self::Reading(mut reading) => {
                    let Poll::Ready((source, chunk)) = reading.as_mut().poll(cx) else {
                        *self = Self::Reading(reading);
                        return Poll::Pending;
                    };
                    if matches!(chunk, Some(Ok(_))) {
                        *self = Self::Resting(source);
                    }
                    return Poll::Ready(chunk.map(|chunk| chunk.map_err(|why| broken(url, why))));
                }
            }
        }
    }
}

/// Reads what is there, once something is.
async fn read(source: Source) -> (Source, Option<Result<Bytes, String>>) {
    loop {
        until_ready(source.stream.subscribe()).await;
        let chunk = match source.stream.read(READ) {
            Ok(bytes) if bytes.is_empty() => continue,
            Ok(bytes) => Some(Ok(bytes.into())),
            Err(StreamError::Closed) => None,
            Err(StreamError::LastOperationFailed(error)) => Some(Err(match http_error_code(&error) {
                Some(code) => name_of(&code),
                None => error.to_debug_string(),
            })),
        };
        return (source, chunk);
    }
}

fn broken(url: &str, why: impl Into<String>) -> FetchError {
    FetchError::new(FetchErrorKind::Broken, url, why)
}

/// What `error` means to whoever asked for `url`.
fn explain(error: &ErrorCode, url: &str) -> FetchError {
    let kind = match error {
        ErrorCode::DnsTimeout
        | ErrorCode::DnsError(_)
        | ErrorCode::DestinationNotFound
        | ErrorCode::DestinationUnavailable
        | ErrorCode::DestinationIpProhibited
        | ErrorCode::DestinationIpUnroutable
        | ErrorCode::ConnectionRefused
        | ErrorCode::ConnectionTimeout
        | ErrorCode::ConnectionLimitReached
        | ErrorCode::HttpRequestDenied => FetchErrorKind::Unreachable,
        ErrorCode::TlsProtocolError | ErrorCode::TlsCertificateError | ErrorCode::TlsAlertReceived(_) => {
            FetchErrorKind::Tls
        }
        ErrorCode::HttpRequestMethodInvalid | ErrorCode::HttpRequestUriInvalid => FetchErrorKind::BadRequest,
        _ => FetchErrorKind::Broken,
    };
    FetchError::new(kind, url, name_of(error))
}

fn name_of(error: &ErrorCode) -> String {
    let name = format!("{error:?}");
    name.strip_prefix("ErrorCode::").unwrap_or(&name).to_owned()
}
