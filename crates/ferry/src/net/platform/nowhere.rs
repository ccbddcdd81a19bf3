//! Where there is no HTTP: WASI 0.1, which has no sockets to open.

use crate::net::{Bytes, error::FetchError, request::Request, response::Head};
use std::task::{Context, Poll};

/// Says that there is none.
pub(in crate::net) async fn send(request: Request) -> Result<(Head, Incoming), FetchError> {
    let why = "WASI 0.1 has no network; build for wasm32-wasip2, which has wasi:http";
    Err(FetchError::not_supported(&request.url, why))
}

/// What never comes.
pub(in crate::net) enum Incoming {}

impl Incoming {
    pub(in crate::net) fn poll_chunk(
        &mut self,
        _url: &str,
        _cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Bytes, FetchError>>> {
        match *self {}
    }
}
