//! [`InPool`]: around each task of the pool, so that what is `cancellable` in it finds its task.

use crate::{
    cancel::scope::{Layer, Scope, inside},
    executor::platform,
    local::{self, TaskLocals},
    model::Arc,
};
use pin_project_lite::pin_project;
use std::{
    future::Future,
    mem::take,
    pin::Pin,
    task::{Context, Poll},
};

pin_project! {
    /// A task of the pool with its number, under which its scope stands in the process's table once it has one.
    pub(super) struct InPool<F> {
        #[pin]
        future: F,
        number: u64,
        locals: TaskLocals,
        scope: Option<Arc<Scope>>,
    }

    impl<F> PinnedDrop for InPool<F> {
        fn drop(this: Pin<&mut Self>) {
            let this = this.project();
            if let Some(scope) = this.scope {
                platform::scopes().remove(this.number);
                scope.end();
            }
        }
    }
}

impl<F> InPool<F> {
    pub(super) fn new(number: u64, future: F) -> Self {
        Self { future, number, locals: TaskLocals::current(), scope: None }
    }
}

impl<F: Future> Future for InPool<F> {
    type Output = F::Output;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<F::Output> {
        let this = self.project();
        let poll = || inside(Layer::Pool(*this.number), this.scope, || this.future.poll(cx));
        if !local::in_use() {
            return poll();
        }
        let (polled, kept) = take(this.locals).enter_and_keep(poll);
        *this.locals = kept;
        polled
    }
}
