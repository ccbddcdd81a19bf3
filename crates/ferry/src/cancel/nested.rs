//! [`Nested`]: a body that can be cancelled by itself, and passes the requests of its surroundings inwards.

use super::{
    Cancelled,
    scope::{Layer, Scope, inside},
};
use crate::model::Arc;
use pin_project_lite::pin_project;
use std::{
    future::Future,
    pin::Pin,
    task::{Context, Poll},
};

pin_project! {
    /// A body in a scope of its own, within the scope that it is polled in. As long as nothing in it is
    /// `cancellable`, it has none and costs little.
    pub(crate) struct Nested<F> {
        #[pin]
        body: F,
        scope: Option<Arc<Scope>>,
    }

    impl<F> PinnedDrop for Nested<F> {
        #[inline]
        fn drop(this: Pin<&mut Self>) {
            if let Some(scope) = this.project().scope.take() {
                end(scope);
            }
        }
    }
}

/// Apart, so that a body without a scope is dropped by few instructions.
#[cold]
fn end(scope: Arc<Scope>) {
    scope.end();
}

impl<F> Nested<F> {
    pub(crate) fn new(body: F) -> Self {
        Self { body, scope: None }
    }

    /// Asks the body to cancel; `false` when it has not opted in, so it is for the caller to drop it.
    pub(crate) fn request(self: Pin<&mut Self>, cancelled: Cancelled) -> bool {
        self.scope().is_some_and(|scope| scope.request(cancelled))
    }

    /// Whether a body that was asked to cancel has ended because of that alone: CPython's
    /// `uncancel() <= cancelling before`.
    pub(crate) fn gave_up(self: Pin<&mut Self>) -> bool {
        self.scope().is_some_and(|scope| scope.was_cancelled_alone())
    }

    /// By a pinned reference, as a shared one would borrow the body too, which may refer to itself.
    pub(crate) fn scope(self: Pin<&mut Self>) -> Option<&Scope> {
        self.project().scope.as_deref()
    }
}

impl<F: Future> Future for Nested<F> {
    type Output = F::Output;

    #[inline]
    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<F::Output> {
        let mut this = self.project();
        loop {
            let body = this.body.as_mut();
            if let Poll::Ready(output) = inside(Layer::Nested, this.scope, || body.poll(cx)) {
                if let Some(scope) = this.scope {
                    scope.end();
                }
                return Poll::Ready(output);
            }
            match this.scope {
                // The body is polled again, as what waits in it was not woken for this poll.
                Some(scope) if scope.poll_outer(cx) => {}
                _ => return Poll::Pending,
            }
        }
    }
}
