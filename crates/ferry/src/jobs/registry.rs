//! The registry: jobs that are known by a name, which every language can call.
//!
//! A registered function takes one argument, which is made of a [`Value`], and gives what one is made of. Whoever calls it
//! by name gives a list, for arguments by position, or a map, for arguments by name; a tuple takes the one, a struct both.

use super::{
    context::JobContext,
    work::{Started, Work},
};
use crate::{
    error::Failure,
    model::{Mutex, lock},
    value::{Value, ValueError, ValueLimits, from_arguments, to_value_within},
};
use serde::{Serialize, de::DeserializeOwned};
use std::{collections::BTreeMap, error::Error, fmt, future::Future, marker::PhantomData, sync::Arc};

/// Why a function can't be registered.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AlreadyRegistered {
    /// The name that another function has.
    pub name: Arc<str>,
}

impl fmt::Display for AlreadyRegistered {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "another job is registered as '{}' already: unregister that first, or take another name",
            self.name
        )
    }
}

impl Error for AlreadyRegistered {}

/// Why a job that was called by its name could not take its arguments, or hand on its result. It's what such a job
/// fails with, and it's not tried again.
#[derive(Clone, Debug)]
pub struct NamedError {
    name: Arc<str>,
    what: What,
    error: ValueError,
}

#[derive(Clone, Copy, Debug)]
enum What {
    Arguments,
    Result,
}

impl NamedError {
    /// What is wrong with the value.
    pub fn value_error(&self) -> &ValueError {
        &self.error
    }
}

impl fmt::Display for NamedError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { name, what, error } = self;
        match what {
            What::Arguments => write!(f, "job '{name}' can't take these arguments: {error}"),
            What::Result => write!(f, "job '{name}' gave a result that can't be handed on: {error}"),
        }
    }
}

impl Error for NamedError {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        Some(&self.error)
    }
}

/// A function that is known by its name.
pub(super) trait Function: Send + Sync {
    fn is_async(&self) -> bool;

    fn start(&self, job: JobContext, call: &Call) -> Started<Value>;
}

/// What is called, and with what.
pub(super) struct Call {
    pub(super) name: Arc<str>,
    pub(super) arguments: Value,
    pub(super) limits: ValueLimits,
}

impl Call {
    fn arguments<A: DeserializeOwned>(&self) -> Result<A, Failure> {
        from_arguments(&self.arguments).map_err(|error| self.failure(What::Arguments, error))
    }

    fn failure(&self, what: What, error: ValueError) -> Failure {
        Failure::from_error(NamedError { name: self.name.clone(), what, error })
    }
}

#[derive(Default)]
pub(super) struct Registry {
    functions: Mutex<BTreeMap<Arc<str>, Arc<dyn Function>>>,
}

impl Registry {
    pub(super) fn add(&self, name: &str, function: Arc<dyn Function>) -> Result<(), AlreadyRegistered> {
        let mut functions = lock(&self.functions);
        if functions.contains_key(name) {
            return Err(AlreadyRegistered { name: name.into() });
        }
        functions.insert(name.into(), function);
        Ok(())
    }

    pub(super) fn remove(&self, name: &str) -> bool {
        let gone = lock(&self.functions).remove(name);
        gone.is_some()
    }

    pub(super) fn get(&self, name: &str) -> Option<Arc<dyn Function>> {
        lock(&self.functions).get(name).cloned()
    }

    pub(super) fn names(&self) -> Vec<Arc<str>> {
        lock(&self.functions).keys().cloned().collect()
    }
}

/// A call of a registered function, which may be made again.
pub(super) struct Named {
    pub(super) function: Arc<dyn Function>,
    pub(super) call: Call,
}

impl Work for Named {
    type Output = Value;

    fn start(&self, context: JobContext) -> Started<Value> {
        self.function.start(context, &self.call)
    }

    fn clear(&self) {
        // The arguments go with the job's last handle.
    }
}

/// One that blocks.
pub(super) struct Blocking<F, A, R, E> {
    function: F,
    types: Types<A, Result<R, E>>,
}

/// What a function takes and gives; it has neither.
type Types<A, R> = PhantomData<fn(A) -> R>;

impl<F, A, R, E> Blocking<F, A, R, E> {
    pub(super) fn new(function: F) -> Self {
        Self { function, types: PhantomData }
    }
}

impl<F, A, R, E> Function for Blocking<F, A, R, E>
where
    F: Fn(&JobContext, A) -> Result<R, E> + Send + Sync,
    A: DeserializeOwned,
    R: Serialize,
    E: Into<Box<dyn Error + Send + Sync>>,
{
    fn is_async(&self) -> bool {
        false
    }

    fn start(&self, job: JobContext, call: &Call) -> Started<Value> {
        Started::Ended(call.arguments().and_then(|arguments| {
            let result = (self.function)(&job, arguments).map_err(Failure::from_error)?;
            to_value_within(&result, &call.limits).map_err(|error| call.failure(What::Result, error))
        }))
    }
}

/// One that is async.
pub(super) struct Async<F, A, R> {
    function: F,
    types: Types<A, R>,
}

impl<F, A, R> Async<F, A, R> {
    pub(super) fn new(function: F) -> Self {
        Self { function, types: PhantomData }
    }
}

impl<F, A, S, R, E> Function for Async<F, A, S>
where
    F: Fn(JobContext, A) -> S + Send + Sync,
    A: DeserializeOwned,
    S: Future<Output = Result<R, E>> + Send + 'static,
    R: Serialize,
    E: Into<Box<dyn Error + Send + Sync>>,
{
    fn is_async(&self) -> bool {
        true
    }

    fn start(&self, job: JobContext, call: &Call) -> Started<Value> {
        let future = match call.arguments() {
            Ok(arguments) => (self.function)(job, arguments),
            Err(failure) => return Started::Ended(Err(failure)),
        };
        let (name, limits) = (call.name.clone(), call.limits);
        Started::Goes(Box::pin(async move {
            let result = future.await.map_err(Failure::from_error)?;
            to_value_within(&result, &limits)
                .map_err(|error| Failure::from_error(NamedError { name, what: What::Result, error }))
        }))
    }
}
