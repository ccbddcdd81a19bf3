//! Tasks of the pool, which is the platform's or the program's own executor; and [`InPool`], around each of them, so
//! that what is `cancellable` in it finds its task.

use crate::{
    cancel::scope::{Layer, Scope, inside},
    executor::{Crash, platform},
    hosted::{self, HostedTask},
    local::TaskLocals,
    model::Arc,
};
use pin_project_lite::pin_project;
use std::{
    cell::Cell,
    future::Future,
    mem::take,
    pin::Pin,
    task::{Context, Poll},
};

pin_project! {
    /// A task of the pool with its number, under which its scope stands in the process's table once it has one.
    pub(super) struct InPool<F> {
        // There until it's dropped, with its locals in force.
        #[pin]
        future: Option<F>,
        number: u64,
        locals: TaskLocals,
        scope: Option<Arc<Scope>>,
    }

    impl<F> PinnedDrop for InPool<F> {
        fn drop(this: Pin<&mut Self>) {
            let mut this = this.project();
            if let Some(scope) = this.scope {
                platform::scopes().remove(this.number);
                scope.end();
            }
            take(this.locals).enter(|| this.future.set(None));
        }
    }
}

impl<F> InPool<F> {
    pub(super) fn new(number: u64, future: F) -> Self {
        Self { future: Some(future), number, locals: TaskLocals::current(), scope: None }
    }
}

impl<F: Future> Future for InPool<F> {
    type Output = F::Output;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<F::Output> {
        let this = self.project();
        let Some(future) = this.future.as_pin_mut() else { unreachable!("it's there until this is dropped") };
        let poll = || inside(Layer::Pool(*this.number), this.scope, || future.poll(cx));
        let locals = Cell::from_mut(this.locals);
        TaskLocals::around(|| locals.take(), |kept| locals.set(kept), poll)
    }
}

/// A task of the pool.
pub(super) enum PoolTask<T> {
    Platform(platform::PoolTask<T>),
    Hosted(HostedTask<T>),
}

impl<T: Send + 'static> PoolTask<T> {
    /// Starts a task; gives the future back where there is no pool.
    pub(super) fn spawn<F>(number: u64, future: F) -> Result<Self, F>
    where
        F: Future<Output = T> + Send + 'static,
    {
        if let Some(executor) = hosted::executor() {
            return Ok(Self::Hosted(HostedTask::spawn(executor, InPool::new(number, future))));
        }
        match platform::pool() {
            Some(pool) => Ok(Self::Platform(pool.spawn(InPool::new(number, future)))),
            None => Err(future),
        }
    }

    /// Starts blocking work; gives it back where there is no pool.
    pub(super) fn spawn_blocking<W>(work: W) -> Result<Self, W>
    where
        W: FnOnce() -> T + Send + 'static,
    {
        let locals = TaskLocals::current();
        if let Some(executor) = hosted::executor() {
            return Ok(Self::Hosted(HostedTask::spawn_blocking(executor, || locals.enter(work))));
        }
        match platform::pool() {
            Some(pool) => Ok(Self::Platform(pool.spawn_blocking(|| locals.enter(work)))),
            None => Err(work),
        }
    }
}

impl<T> PoolTask<T> {
    pub(super) fn abort(&self) {
        match self {
            Self::Platform(task) => task.abort(),
            Self::Hosted(task) => task.aborter().abort(),
        }
    }

    pub(super) fn is_finished(&self) -> bool {
        match self {
            Self::Platform(task) => task.is_finished(),
            Self::Hosted(task) => task.aborter().is_finished(),
        }
    }

    pub(super) fn aborter(&self) -> PoolAborter {
        match self {
            #[allow(unreachable_code, reason = "some platforms have no pool")]
            Self::Platform(task) => PoolAborter::Platform(task.aborter()),
            Self::Hosted(task) => PoolAborter::Hosted(task.aborter()),
        }
    }

    pub(super) fn poll(&mut self, cx: &mut Context<'_>) -> Poll<Result<T, Crash>> {
        match self {
            Self::Platform(task) => Pin::new(task).poll(cx),
            Self::Hosted(task) => Pin::new(task).poll(cx),
        }
    }
}

/// What aborts a task of the pool.
#[derive(Clone)]
pub(crate) enum PoolAborter {
    Platform(platform::PoolAborter),
    Hosted(hosted::Aborter),
}

impl PoolAborter {
    pub(crate) fn abort(&self) {
        match self {
            Self::Platform(task) => task.abort(),
            Self::Hosted(task) => task.abort(),
        }
    }

    pub(crate) fn is_finished(&self) -> bool {
        match self {
            Self::Platform(task) => task.is_finished(),
            Self::Hosted(task) => task.is_finished(),
        }
    }
}
