//! What the host gives a script to call by name: async functions and streams of this machine's own, and the pool's jobs.
//!
//! A function of the machine's own runs on the loop that the script lives on. It's polled where it's called, and if it's ready then,
//! its task is over when the script gets it; if not, it becomes a task of the loop.

use crate::{
    home::{Home, current, timed_out},
    park::{Answer, By, Item, Park, Waited, wait},
    stream::StreamObject,
    task::{self, Kind, Task},
    values,
};
use asyncferry::{
    Failure, Value, cancellable,
    jobs::{AlreadyRegistered, JobBuilder, Retry},
    timeout,
    value::{from_arguments, to_value_within},
};
use futures_core::Stream;
use rustc_hash::FxHashMap;
use serde::{Serialize, de::DeserializeOwned};
use std::{
    error::Error as StdError,
    future::Future,
    pin::Pin,
    rc::Rc,
    sync::Arc,
    task::{Context as TaskContext, Poll, Waker},
    time::Duration,
};
use wren::{Context, Error, VmBuilder};

/// What is registered with a machine.
#[derive(Default)]
pub(crate) struct Functions {
    functions: FxHashMap<Arc<str>, Function>,
    streams: FxHashMap<String, StreamFunction>,
    /// Names that the script has registered with the pool.
    pub(crate) in_pool: Vec<String>,
}

type Called = Pin<Box<dyn Future<Output = Result<Value, Failure>>>>;
pub(crate) type Items = Pin<Box<dyn Stream<Item = Result<Value, Failure>>>>;
type Function = Rc<dyn Fn(Value) -> Result<Called, Failure>>;
type StreamFunction = Rc<dyn Fn(Value) -> Result<Items, Failure>>;

/// Why a function can't be called, or can't hand on its result.
fn refused(name: &str, what: &str, error: &asyncferry::ValueError) -> Failure {
    Failure::from_error(format!("'{name}' {what}: {error}"))
}

const ARGUMENTS: &str = "can't take these arguments";
const RESULT: &str = "gave a result that can't be handed on";

impl Functions {
    pub(crate) fn add<A, F, R, E>(
        &mut self,
        home: &Rc<Home>,
        name: &str,
        function: impl Fn(A) -> F + 'static,
    ) -> Result<(), AlreadyRegistered>
    where
        A: DeserializeOwned,
        F: Future<Output = Result<R, E>> + 'static,
        R: Serialize,
        E: Into<Box<dyn StdError + Send + Sync>>,
    {
        self.check(name)?;
        let (limits, own_name): (_, Rc<str>) = (*home.limits(), name.into());
        let function = move |arguments: Value| {
            let arguments =
                from_arguments(&arguments).map_err(|error| refused(&own_name, ARGUMENTS, &error))?;
            let called = function(arguments);
            let name = own_name.clone();
            let called: Called = Box::pin(async move {
                let result = called.await.map_err(Failure::from_error)?;
                to_value_within(&result, &limits).map_err(|error| refused(&name, RESULT, &error))
            });
            Ok(called)
        };
        self.functions.insert(name.into(), Rc::new(function));
        Ok(())
    }

    pub(crate) fn add_stream<A, S, R, E>(
        &mut self,
        home: &Rc<Home>,
        name: &str,
        function: impl Fn(A) -> S + 'static,
    ) -> Result<(), AlreadyRegistered>
    where
        A: DeserializeOwned,
        S: Stream<Item = Result<R, E>> + 'static,
        R: Serialize,
        E: Into<Box<dyn StdError + Send + Sync>>,
    {
        use futures_util::StreamExt;
        self.check(name)?;
        let (limits, own_name): (_, Rc<str>) = (*home.limits(), name.into());
        let function = move |arguments: Value| {
            let arguments =
                from_arguments(&arguments).map_err(|error| refused(&own_name, ARGUMENTS, &error))?;
            let name = own_name.clone();
            let items: Items = Box::pin(function(arguments).map(move |item| {
                let item = item.map_err(Failure::from_error)?;
                to_value_within(&item, &limits).map_err(|error| refused(&name, RESULT, &error))
            }));
            Ok(items)
        };
        self.streams.insert(name.to_owned(), Rc::new(function));
        Ok(())
    }

    fn check(&self, name: &str) -> Result<(), AlreadyRegistered> {
        if self.functions.contains_key(name) || self.streams.contains_key(name) {
            return Err(AlreadyRegistered { name: name.into() });
        }
        Ok(())
    }

    fn names(&self) -> Vec<String> {
        let mut names: Vec<_> =
            self.functions.keys().map(ToString::to_string).chain(self.streams.keys().cloned()).collect();
        names.sort_unstable();
        names
    }
}

/// What a script says of a call beside its arguments.
#[derive(Default)]
struct Options {
    priority: Option<i8>,
    timeout: Option<Duration>,
    retries: Option<u32>,
}

impl Options {
    fn read(cx: &mut Context<'_>, value: &wren::Value) -> Result<Self, Error> {
        let map = match value {
            wren::Value::Null => return Ok(Self::default()),
            wren::Value::Map(map) => map,
            other => return Err(Error::new(format!("Options must be a map, not {}.", other.kind()))),
        };
        let mut options = Self::default();
        for (key, value) in map.entries(cx)? {
            let wren::Value::String(name) = &key else {
                return Err(Error::new("The names of options must be strings."));
            };
            match &**name {
                "priority" => {
                    let priority = whole(&value).and_then(|number| i8::try_from(number).ok());
                    options.priority = Some(
                        priority.ok_or("The option 'priority' must be a whole number from -128 to 127.")?,
                    );
                }
                "timeout" => options.timeout = Some(milliseconds(&value, "The option 'timeout'")?),
                "retries" => {
                    let retries = whole(&value).and_then(|number| u32::try_from(number).ok());
                    options.retries =
                        Some(retries.ok_or("The option 'retries' must be a whole number from 0 on.")?);
                }
                other => {
                    return Err(Error::new(format!(
                        "There is no option '{other}'; there are 'priority', 'timeout' and 'retries'."
                    )));
                }
            }
        }
        Ok(options)
    }
}

fn whole(value: &wren::Value) -> Option<i64> {
    match value {
        wren::Value::Num(number) if number.fract() == 0.0 && number.abs() < 1e15 => Some(*number as i64),
        _ => None,
    }
}

/// A time that a script gives.
///
/// # Errors
/// A sentence that begins with `what`.
pub(crate) fn milliseconds(value: &wren::Value, what: &str) -> Result<Duration, Error> {
    let wren::Value::Num(number) = value else {
        return Err(Error::new(format!("{what} must be a number of milliseconds, not {}.", value.kind())));
    };
    if number.is_nan() || *number < 0.0 {
        return Err(Error::new(format!("{what} must be a number of milliseconds from 0 on, not {number}.")));
    }
    Ok(Duration::try_from_secs_f64(number / 1000.0).unwrap_or(Duration::MAX))
}

/// `Async.call(name, arguments, options)`.
fn call(
    cx: &mut Context<'_>,
    (name, arguments, options): (String, wren::Value, wren::Value),
) -> Result<Answer, Error> {
    let home = current();
    let arguments = arguments_of(&home, cx, &arguments)?;
    let options = Options::read(cx, &options)?;
    let own = home
        .functions
        .borrow()
        .functions
        .get_key_value(&*name)
        .map(|(name, own)| (name.clone(), own.clone()));
    match own {
        Some((name, function)) => {
            let task = call_own(&home, &name, &*function, arguments, &options)?;
            task::object(&home, cx, task).map(Answer::Value)
        }
        None => submit(&home, cx, &name, arguments, &options),
    }
}

fn arguments_of(home: &Rc<Home>, cx: &mut Context<'_>, given: &wren::Value) -> Result<Value, Error> {
    match given {
        wren::Value::Null => Ok(Value::no_arguments()),
        wren::Value::List(_) | wren::Value::Map(_) => {
            values::to_plain(home, cx, given).map_err(|error| match error {
                Error::Runtime(error) => Error::new(format!("Argument {}", error.message)),
                other => other,
            })
        }
        other => Err(Error::new(format!(
            "Arguments must be a list, or a map for those by name, not {}.",
            other.kind()
        ))),
    }
}

/// Calls a function of the machine's own.
fn call_own(
    home: &Rc<Home>,
    name: &Arc<str>,
    function: &dyn Fn(Value) -> Result<Called, Failure>,
    arguments: Value,
    options: &Options,
) -> Result<Arc<Task>, Error> {
    if options.priority.is_some() || options.retries.is_some() {
        return Err(Error::new(format!(
            "'{name}' is a function of the script's own loop, which has no options but 'timeout'."
        )));
    }
    let mut called = match function(arguments) {
        Ok(called) => called,
        Err(failure) => return Ok(Task::new(Kind::Done(Err(failure)), name.clone(), None)),
    };
    if options.timeout != Some(Duration::ZERO)
        && let Poll::Ready(result) = called.as_mut().poll(&mut TaskContext::from_waker(Waker::noop()))
    {
        return Ok(Task::new(Kind::Done(result.map(Item::Plain)), name.clone(), None));
    }
    let limit = options.timeout;
    home.spawn(name.clone(), async move {
        let result = match limit {
            None => called.await,
            Some(limit) => timeout(limit, called).await.map_err(|_| timed_out(limit))?,
        };
        result.map(Item::Plain)
    })
}

/// Submits a job to the pool. Where that is full, only this fiber waits.
fn submit(
    home: &Rc<Home>,
    cx: &mut Context<'_>,
    name: &str,
    arguments: Value,
    options: &Options,
) -> Result<Answer, Error> {
    let mut job = match options.retries {
        Some(retries) if retries > 0 => home.pool.named_again(Retry::new(retries + 1), name, arguments),
        _ => home.pool.named(name, arguments),
    };
    if let Some(priority) = options.priority {
        job = job.priority(priority);
    }
    if let Some(timeout) = options.timeout {
        job = job.timeout(timeout);
    }
    let submitting = submitting(home.clone(), job);
    wait(home, cx, Park::new(By::Itself, submitting))
}

async fn submitting(home: Rc<Home>, job: JobBuilder<Value>) -> Waited {
    let job = match job.submit().await {
        Ok(job) => job,
        Err(error) => return Err(refused_by_pool(&home, error)),
    };
    let task = Task::new(Kind::Job(Arc::new(job)), "a job", None);
    Ok(Item::Task(task))
}

/// The pool's refusal; where there is no such name, with those that are the machine's own.
fn refused_by_pool(home: &Home, error: asyncferry::jobs::SubmitError) -> Failure {
    use asyncferry::jobs::{IdError, SubmitError};
    let own = home.functions.borrow().names();
    if let SubmitError::UnknownName { .. } = error
        && !own.is_empty()
    {
        return Failure::from_error(format!("{error}; and of this script's own: {}", own.join(", ")));
    }
    Failure::from_error(IdError::from(error))
}

/// `Async.stream(name, arguments)`.
fn stream(cx: &mut Context<'_>, (name, arguments): (String, wren::Value)) -> Result<wren::Value, Error> {
    let home = current();
    let arguments = arguments_of(&home, cx, &arguments)?;
    let function = home.functions.borrow().streams.get(&name).cloned();
    let Some(function) = function else {
        let functions = home.functions.borrow();
        let mut known: Vec<_> = functions.streams.keys().map(|name| format!("'{name}'")).collect();
        known.sort_unstable();
        let known = if known.is_empty() { "none yet".to_owned() } else { known.join(", ") };
        return Err(Error::new(format!("no stream is registered as '{name}'; registered are: {known}")));
    };
    let items = function(arguments).map_err(|failure| values::error(cx, &failure))?;
    home.object(cx, "Stream", StreamObject::new(&home, items))
}

/// `Async.register(name, function)`: a function of the script's, for everybody who has the pool.
fn register_in_pool(
    cx: &mut Context<'_>,
    (name, function): (String, wren::Function),
) -> Result<wren::Value, Error> {
    let _ = cx;
    let home = current();
    let callback = home.callback(function, &name);
    let called = move |arguments: Value| {
        let callback = callback.clone();
        let arguments = match arguments {
            Value::List(arguments) => arguments,
            named => vec![named],
        };
        async move { cancellable(callback.call(arguments)).await.map_err(Failure::from)? }
    };
    home.pool.register(&name, called).map_err(|error| Error::new(error.to_string()))?;
    home.functions.borrow_mut().in_pool.push(name);
    Ok(wren::Value::Null)
}

/// `Async.unregister(name)`.
fn unregister(_: &mut Context<'_>, (name,): (String,)) -> Result<bool, Error> {
    let home = current();
    let mut functions = home.functions.borrow_mut();
    let Some(place) = functions.in_pool.iter().position(|known| *known == name) else { return Ok(false) };
    functions.in_pool.swap_remove(place);
    Ok(home.pool.unregister(&name))
}

pub(crate) fn register(builder: VmBuilder) -> VmBuilder {
    builder
        .method("async", "Async", "static call(_,_,_)", call)
        .method("async", "Async", "static stream(_,_)", stream)
        .method("async", "Async", "static register(_,_)", register_in_pool)
        .method("async", "Async", "static unregister(_)", unregister)
}
