//! [`Throttle`]: a pause after each item.

use super::Stream;
use crate::time::{Sleep, sleep};
use pin_project_lite::pin_project;
use std::{
    future::Future,
    pin::Pin,
    task::{Context, Poll, ready},
    time::Duration,
};

pin_project! {
    /// What [`TimedStreamExt::throttle`](super::TimedStreamExt::throttle) returns.
    #[derive(Debug)]
    #[must_use = "streams do nothing unless polled"]
    pub struct Throttle<S> {
        #[pin]
        source: S,
        period: Duration,
        pause: Option<Sleep>,
    }
}

impl<S> Throttle<S> {
    pub(super) fn new(source: S, period: Duration) -> Self {
        Self { source, period, pause: None }
    }
}

impl<S: Stream> Stream for Throttle<S> {
    type Item = S::Item;

    fn poll_next(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<S::Item>> {
        let this = self.project();
        if let Some(pause) = this.pause {
            ready!(Pin::new(pause).poll(cx));
            *this.pause = None;
        }
        let item = ready!(this.source.poll_next(cx));
        if item.is_some() && !this.period.is_zero() {
            *this.pause = Some(sleep(*this.period));
        }
        Poll::Ready(item)
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        self.source.size_hint()
    }
}
