//! [`Work`]: what a job does: a function that blocks or is async, once or again.

use super::{context::JobContext, engine::Remote};
use crate::{error::Failure, sync::latch::Latch, value::Value};
use std::{error::Error, future::Future, pin::Pin};

/// What a job does, and gives.
pub(super) trait Work: Send + Sync + 'static {
    type Output: Send + 'static;

    /// Begins an attempt.
    fn start(&self, context: JobContext) -> Started<Self::Output>;

    /// It will not begin any more.
    fn clear(&self);

    /// The call that it is, if others make it.
    fn remote(&self) -> Option<&Remote> {
        None
    }

    /// What others have made of it.
    fn output(_value: Value) -> Option<Self::Output> {
        None
    }
}

/// What became of work that was started.
pub(super) enum Started<T> {
    Ended(Result<T, Failure>),
    Goes(Pin<Box<dyn Future<Output = Result<T, Failure>> + Send>>),
}

/// Work that blocks, once.
pub(super) struct BlockingOnce<F>(Latch<Option<F>>);

impl<F> BlockingOnce<F> {
    pub(super) fn new(function: F) -> Self {
        Self(Latch::new(Some(function)))
    }
}

impl<F, T, E> Work for BlockingOnce<F>
where
    F: FnOnce(&JobContext) -> Result<T, E> + Send + 'static,
    T: Send + 'static,
    E: Into<Box<dyn Error + Send + Sync>>,
{
    type Output = T;

    #[inline]
    fn start(&self, context: JobContext) -> Started<T> {
        let function = self.0.lock().take();
        Started::Ended(match function {
            Some(function) => function(&context).map_err(Failure::from_error),
            None => Err(Failure::cancelled("")),
        })
    }

    #[inline]
    fn clear(&self) {
        let left = self.0.lock().take();
        drop(left);
    }
}

/// Work that blocks, and may be called again.
pub(super) struct BlockingAgain<F>(pub(super) F);

impl<F, T, E> Work for BlockingAgain<F>
where
    F: Fn(&JobContext) -> Result<T, E> + Send + Sync + 'static,
    T: Send + 'static,
    E: Into<Box<dyn Error + Send + Sync>>,
{
    type Output = T;

    fn start(&self, context: JobContext) -> Started<T> {
        Started::Ended((self.0)(&context).map_err(Failure::from_error))
    }

    fn clear(&self) {
        // It goes with the job's last handle.
    }
}

/// Async work, once.
pub(super) struct TaskOnce<F>(Latch<Option<F>>);

impl<F> TaskOnce<F> {
    pub(super) fn new(function: F) -> Self {
        Self(Latch::new(Some(function)))
    }
}

impl<F, R, T, E> Work for TaskOnce<F>
where
    F: FnOnce(JobContext) -> R + Send + 'static,
    R: Future<Output = Result<T, E>> + Send + 'static,
    T: Send + 'static,
    E: Into<Box<dyn Error + Send + Sync>>,
{
    type Output = T;

    fn start(&self, context: JobContext) -> Started<T> {
        let function = self.0.lock().take();
        match function {
            Some(function) => goes(function(context)),
            None => Started::Ended(Err(Failure::cancelled(""))),
        }
    }

    fn clear(&self) {
        let left = self.0.lock().take();
        drop(left);
    }
}

/// Async work that may begin again.
pub(super) struct TaskAgain<F>(pub(super) F);

impl<F, R, T, E> Work for TaskAgain<F>
where
    F: Fn(JobContext) -> R + Send + Sync + 'static,
    R: Future<Output = Result<T, E>> + Send + 'static,
    T: Send + 'static,
    E: Into<Box<dyn Error + Send + Sync>>,
{
    type Output = T;

    fn start(&self, context: JobContext) -> Started<T> {
        goes((self.0)(context))
    }

    fn clear(&self) {
        // It goes with the job's last handle.
    }
}

fn goes<R, T, E>(future: R) -> Started<T>
where
    R: Future<Output = Result<T, E>> + Send + 'static,
    E: Into<Box<dyn Error + Send + Sync>>,
{
    Started::Goes(Box::pin(async { future.await.map_err(Failure::from_error) }))
}
