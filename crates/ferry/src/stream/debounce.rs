//! [`Debounce`]: the last item of each burst.

use super::Stream;
use crate::time::{Sleep, sleep};
use pin_project_lite::pin_project;
use std::{
    future::Future,
    pin::Pin,
    task::{Context, Poll, ready},
    time::Duration,
};

/// So many items of a source that never waits are taken in one poll, and then others have their turn.
const MOST_A_POLL: usize = 64;

pin_project! {
    /// What [`TimedStreamExt::debounce`](super::TimedStreamExt::debounce) returns.
    #[must_use = "streams do nothing unless polled"]
    pub struct Debounce<S: Stream> {
        #[pin]
        source: S,
        period: Duration,
        held: Option<(S::Item, Sleep)>,
        has_ended: bool,
    }
}

impl<S: Stream> Debounce<S> {
    pub(super) fn new(source: S, period: Duration) -> Self {
        Self { source, period, held: None, has_ended: false }
    }
}

impl<S: Stream> Stream for Debounce<S> {
    type Item = S::Item;

    fn poll_next(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<S::Item>> {
        let mut this = self.project();
        for _ in 0..MOST_A_POLL {
            if *this.has_ended {
                return Poll::Ready(this.held.take().map(|(item, _)| item));
            }
            match this.source.as_mut().poll_next(cx) {
                Poll::Ready(Some(item)) => *this.held = Some((item, sleep(*this.period))),
                Poll::Ready(None) => *this.has_ended = true,
                Poll::Pending => {
                    let Some((_, quiet)) = this.held else { return Poll::Pending };
                    ready!(Pin::new(quiet).poll(cx));
                    return Poll::Ready(this.held.take().map(|(item, _)| item));
                }
            }
        }
        cx.waker().wake_by_ref();
        Poll::Pending
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        let (least, most) = self.source.size_hint();
        let held = usize::from(self.held.is_some());
        (held.max(least.min(1)), most.and_then(|most| most.checked_add(held)))
    }
}
