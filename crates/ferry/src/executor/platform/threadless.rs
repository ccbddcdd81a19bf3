//! What platforms without threads share: no pool, so that what would go there runs on the loop.

use crate::{
    cancel::scope::Scope, error::AsyncError, executor::Crash, metrics::PoolMetrics, model, runtime::Settings,
};
use std::{
    collections::BTreeMap,
    convert::Infallible,
    future::Future,
    marker::PhantomData,
    pin::Pin,
    sync::{LazyLock, Mutex, MutexGuard},
    task::{Context, Poll},
};

/// There is no pool.
pub(crate) fn pool() -> Option<Pool> {
    None
}

/// There is no pool to start.
pub(crate) fn start_pool() -> Result<(), AsyncError> {
    Err(AsyncError::PlatformNotSupported(
        "there are no threads here, so there is no pool to start; spawn and spawn_blocking run on the loop"
            .to_owned(),
    ))
}

pub(crate) fn pool_metrics() -> Option<PoolMetrics> {
    None
}

/// What is not to be had here.
#[derive(Clone, Copy)]
pub(crate) enum Pool {}

impl Pool {
    pub(crate) fn spawn<F: Future>(self, _future: F) -> PoolTask<F::Output> {
        match self {}
    }

    pub(crate) fn spawn_blocking<T, W: FnOnce() -> T>(self, _work: W) -> PoolTask<T> {
        match self {}
    }
}

/// A task of a pool, if there were one.
pub(crate) struct PoolTask<T>(Infallible, PhantomData<fn() -> T>);

impl<T> PoolTask<T> {
    pub(crate) fn abort(&self) {
        match self.0 {}
    }

    pub(crate) fn is_finished(&self) -> bool {
        match self.0 {}
    }

    pub(crate) fn aborter(&self) -> PoolAborter {
        match self.0 {}
    }
}

impl<T> Future for PoolTask<T> {
    type Output = Result<T, Crash>;

    fn poll(self: Pin<&mut Self>, _cx: &mut Context<'_>) -> Poll<Self::Output> {
        match self.0 {}
    }
}

/// What would abort a task of a pool.
#[derive(Clone)]
pub(crate) enum PoolAborter {}

impl PoolAborter {
    pub(crate) fn abort(&self) {
        match *self {}
    }

    pub(crate) fn is_finished(&self) -> bool {
        match *self {}
    }
}

pub(crate) fn settings() -> &'static Mutex<Settings> {
    static SETTINGS: LazyLock<Mutex<Settings>> = LazyLock::new(Mutex::default);
    &SETTINGS
}

/// The scopes of tasks of a pool: none.
pub(crate) fn scopes() -> MutexGuard<'static, BTreeMap<u64, model::Arc<Scope>>> {
    static SCOPES: Mutex<BTreeMap<u64, model::Arc<Scope>>> = Mutex::new(BTreeMap::new());
    SCOPES.lock().unwrap_or_else(|poisoned| poisoned.into_inner())
}

/// Nothing can fork here.
pub(crate) fn forked() {}

/// Nor is there another process.
pub(crate) fn generation() -> u64 {
    0
}

/// Whether a program can start threads.
pub(crate) const HAS_THREADS: bool = false;
