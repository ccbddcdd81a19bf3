//! [`TimeoutEach`]: how long each item may take.
//!
//! ```text
//!             the source waits                 time is up ▶ Err
//!   (no timer) ──────────────▶ timer runs ──────────────────────▶ late, no timer
//!       ▲                          │ an item ▶ Ok                    │ the item ▶ Ok
//!       └──────────────────────────┴────────────────────────────────┘
//! ```

use super::Stream;
use crate::{
    error::AsyncError,
    time::{Sleep, sleep},
};
use pin_project_lite::pin_project;
use std::{
    future::Future,
    pin::Pin,
    task::{Context, Poll, ready},
    time::Duration,
};

pin_project! {
    /// What [`TimedStreamExt::timeout`](super::TimedStreamExt::timeout) returns.
    #[derive(Debug)]
    #[must_use = "streams do nothing unless polled"]
    pub struct TimeoutEach<S> {
        #[pin]
        source: S,
        period: Duration,
        timer: Option<Sleep>,
        is_late: bool,
    }
}

impl<S> TimeoutEach<S> {
    pub(super) fn new(source: S, period: Duration) -> Self {
        Self { source, period, timer: None, is_late: false }
    }
}

impl<S: Stream> Stream for TimeoutEach<S> {
    type Item = Result<S::Item, AsyncError>;

    fn poll_next(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        let this = self.project();
        if let Poll::Ready(item) = this.source.poll_next(cx) {
            *this.timer = None;
            *this.is_late = false;
            return Poll::Ready(item.map(Ok));
        }
        if *this.is_late {
            return Poll::Pending;
        }
        ready!(Pin::new(this.timer.get_or_insert_with(|| sleep(*this.period))).poll(cx));
        *this.timer = None;
        *this.is_late = true;
        Poll::Ready(Some(Err(AsyncError::Timeout(*this.period))))
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        let (least, most) = self.source.size_hint();
        // One more before each item, and before the end.
        (least, most.and_then(|most| most.checked_mul(2)?.checked_add(1)))
    }
}
