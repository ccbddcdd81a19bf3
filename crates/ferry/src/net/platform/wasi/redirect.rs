//! Redirects, by the [Fetch standard](https://fetch.spec.whatwg.org/#http-redirect-fetch).

use crate::net::{
    error::{FetchError, FetchErrorKind},
    headers::Headers,
    request::{Body, Request},
    response::Head,
};
use url::Url;

/// How many redirects are followed.
pub(super) const MOST: usize = 20;

/// Where an answer leads.
pub(super) enum Redirected {
    To(Url),
    Not,
}

/// Makes `request`, which was sent to `from`, the one that its answer asks for, if it asks for one.
pub(super) fn follow(request: &mut Request, from: &Url, head: &Head) -> Result<Redirected, FetchError> {
    let Some(location) = head.headers.get("location").filter(|_| is_redirect(head.status)) else {
        return Ok(Redirected::Not);
    };
    let to = from.join(location).ok().filter(|to| matches!(to.scheme(), "http" | "https"));
    let Some(mut to) = to else {
        let why = format!("it redirects to `{location}`, which is no address of HTTP");
        return Err(FetchError::new(FetchErrorKind::Broken, &request.url, why));
    };
    if to.fragment().is_none() {
        to.set_fragment(from.fragment());
    }
    if becomes_get(head.status, &request.method) {
        request.method = "GET".to_owned();
        request.body = Body::Empty;
        retain(&mut request.headers, |name| !name.starts_with("content-"));
    } else if let Body::Stream(_) = request.body {
        // It's sent, and can't be sent again.
        return Ok(Redirected::Not);
    }
    if to.origin() != from.origin() {
        retain(&mut request.headers, |name| {
            !matches!(name, "authorization" | "cookie" | "proxy-authorization")
        });
    }
    Ok(Redirected::To(to))
}

fn is_redirect(status: u16) -> bool {
    matches!(status, 301 | 302 | 303 | 307 | 308)
}

fn becomes_get(status: u16, method: &str) -> bool {
    match status {
        301 | 302 => method == "POST",
        303 => !matches!(method, "GET" | "HEAD"),
        _ => false,
    }
}

fn retain(headers: &mut Headers, keeps: impl Fn(&str) -> bool) {
    let mut kept = Headers::default();
    for (name, value) in headers.iter().filter(|(name, _)| keeps(name)) {
        kept.push(name, value);
    }
    *headers = kept;
}
