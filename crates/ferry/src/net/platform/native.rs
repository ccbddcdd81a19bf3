//! The native network: reqwest and tungstenite, whose sockets, drivers and look-ups of names all belong to the pool.
//!
//! reqwest keeps connections for later requests, each driven by a task that it gives to tokio. Were that task one of a
//! loop's own runtime, it would stand still with the loop's `block_on`, and the next request on that connection with it.
//! So futures of the network are polled by whoever awaits them, but inside the pool's context ([`OnPool`]): there is one
//! client for the process, and a connection lives as long as it's of use, whichever loop asked for it first.

mod client;
mod fetch;
#[cfg(all(test, not(ferry_loom)))]
#[allow(clippy::unwrap_used, reason = "a test fails by panicking")]
mod tests;
mod websocket;

pub(in crate::net) use fetch::{Incoming, send};
pub(in crate::net) use websocket::{Link, connect};

use std::{
    error::Error,
    future::Future,
    io,
    pin::Pin,
    task::{Context, Poll},
};
use tokio::runtime::Handle;

/// Polls and drops a future inside the context of the pool.
struct OnPool<F> {
    pool: &'static Handle,
    future: Option<Pin<Box<F>>>,
}

impl<F: Future> OnPool<F> {
    fn new(pool: &'static Handle, future: F) -> Self {
        Self { pool, future: Some(Box::pin(future)) }
    }
}

impl<F: Future> Future for OnPool<F> {
    type Output = F::Output;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<F::Output> {
        let context = self.pool.enter();
        let Some(future) = &mut self.future else { return Poll::Pending };
        let polled = future.as_mut().poll(cx);
        if polled.is_ready() {
            self.future = None;
        }
        drop(context);
        polled
    }
}

impl<F> Drop for OnPool<F> {
    fn drop(&mut self) {
        let context = self.pool.enter();
        self.future = None;
        drop(context);
    }
}

/// The error at the end of the chain, which says best what happened.
fn root<'a>(error: &'a (dyn Error + 'static)) -> &'a (dyn Error + 'static) {
    chain(error).last().unwrap_or(error)
}

/// Whether TLS is to blame for `error`.
fn is_tls(error: &(dyn Error + 'static)) -> bool {
    chain(error).any(|link| link.is::<rustls::Error>())
}

fn chain<'a>(error: &'a (dyn Error + 'static)) -> impl Iterator<Item = &'a (dyn Error + 'static)> {
    std::iter::successors(Some(error), |link: &&'a (dyn Error + 'static)| {
        // The source of an error of I/O is what its inner error has as a source, which leaves out the inner error.
        let inner = link.downcast_ref::<io::Error>().and_then(io::Error::get_ref);
        inner.map(|inner| inner as &(dyn Error + 'static)).or_else(|| Error::source(*link))
    })
}
