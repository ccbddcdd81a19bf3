//! Requests, on the Fetch API.

use super::{text_of, why_not};
use crate::net::{
    Bytes,
    address::without_userinfo,
    error::{FetchError, FetchErrorKind},
    headers::Headers,
    request::{Body, Request},
    response::Head,
};
use js_sys::{Array, Object, Promise, Reflect, Uint8Array, try_iter};
use std::{
    future::Future,
    pin::Pin,
    task::{Context, Poll, ready},
};
use wasm_bindgen::{JsCast, JsValue, prelude::wasm_bindgen};
use wasm_bindgen_futures::JsFuture;
use web_sys::{AbortController, ReadableStreamDefaultReader, RequestInit, Response};

#[wasm_bindgen]
extern "C" {
    // That of a window, of a worker, and of Node.
    #[wasm_bindgen(js_name = fetch, catch)]
    fn global_fetch(request: &web_sys::Request) -> Result<Promise, JsValue>;
}

/// Sends `request`, and gives the answer's head and its body.
pub(in crate::net) async fn send(request: Request) -> Result<(Head, Incoming), FetchError> {
    let url = request.url.clone();
    if let Some(why) = why_not() {
        return Err(FetchError::not_supported(&url, why));
    }
    let transfer = Transfer::new(&url)?;
    let request = to_js(request, &transfer)?;
    let unreachable = |error: JsValue| FetchError::new(FetchErrorKind::Unreachable, &url, text_of(&error));
    let answering = global_fetch(&request).map_err(unreachable)?;
    let response: Response = JsFuture::from(answering).await.map_err(unreachable)?.unchecked_into();
    let head =
        Head { status: response.status(), headers: headers_of(&response), url: response.url(), length: None };
    let reader = response.body().map(|body| body.get_reader().unchecked_into());
    Ok((head, Incoming { reader, reading: None, _transfer: transfer }))
}

/// A transfer, which ends where it is when this is dropped.
struct Transfer(AbortController);

impl Transfer {
    fn new(url: &str) -> Result<Self, FetchError> {
        let made = AbortController::new();
        made.map(Self).map_err(|error| FetchError::not_supported(url, &text_of(&error)))
    }
}

impl Drop for Transfer {
    fn drop(&mut self) {
        self.0.abort();
    }
}

/// A body on its way in.
pub(in crate::net) struct Incoming {
    /// None where there is no body.
    reader: Option<ReadableStreamDefaultReader>,
    reading: Option<JsFuture>,
    _transfer: Transfer,
}

impl Incoming {
    /// The next bytes of the body that came from `url`.
    pub(in crate::net) fn poll_chunk(
        &mut self,
        url: &str,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Bytes, FetchError>>> {
        let Some(reader) = &self.reader else { return Poll::Ready(None) };
        loop {
            let reading = self.reading.get_or_insert_with(|| JsFuture::from(reader.read()));
            let read = ready!(Pin::new(reading).poll(cx));
            self.reading = None;
            let chunk = match read {
                Ok(read) => chunk_of(&read),
                Err(error) => Some(Err(FetchError::new(FetchErrorKind::Broken, url, text_of(&error)))),
            };
            if !matches!(&chunk, Some(Ok(bytes)) if bytes.is_empty()) {
                return Poll::Ready(chunk);
            }
        }
    }
}

/// The bytes of what a reader gave; `None` at the end.
fn chunk_of(read: &JsValue) -> Option<Result<Bytes, FetchError>> {
    let bytes = Reflect::get(read, &"value".into()).ok()?.dyn_into::<Uint8Array>().ok()?;
    Some(Ok(bytes.to_vec().into()))
}

fn to_js(request: Request, transfer: &Transfer) -> Result<web_sys::Request, FetchError> {
    let Request { method, url, headers, body, .. } = request;
    let bad = |error: JsValue| {
        // A browser shows the URL again, with the password in it.
        let why = text_of(&error).replace(&url, &without_userinfo(&url));
        FetchError::new(FetchErrorKind::BadRequest, &url, format!("{why}; correct it"))
    };
    let init = RequestInit::new();
    init.set_method(&method);
    init.set_signal(Some(&transfer.0.signal()));
    let fields = web_sys::Headers::new().map_err(bad)?;
    for (name, value) in headers.iter() {
        fields.append(name, value).map_err(bad)?;
    }
    init.set_headers(&fields);
    match body {
        Body::Empty => {}
        Body::Bytes(bytes) => init.set_body(&Uint8Array::from(&*bytes)),
        Body::Stream(_) => {
            let why = "a body can't stream out of a browser; send it with `Request::body`";
            return Err(FetchError::not_supported(&url, why));
        }
    }
    web_sys::Request::new_with_str_and_init(&url, &init).map_err(bad)
}

fn headers_of(response: &Response) -> Headers {
    let mut found = Headers::default();
    let fields: Object = response.headers().unchecked_into();
    for entry in try_iter(&fields).ok().flatten().into_iter().flatten().flatten() {
        let entry: Array = entry.unchecked_into();
        if let (Some(name), Some(value)) = (entry.get(0).as_string(), entry.get(1).as_string()) {
            found.push(&name, value);
        }
    }
    found
}
