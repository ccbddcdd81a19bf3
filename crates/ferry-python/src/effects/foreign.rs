//! Both ways across the border of a run: a program waits for what asyncio awaits, and a coroutine, or Rust, awaits a task
//! of a run.
//!
//! | a program awaits | in `async_run` | in `run` |
//! |---|---|---|
//! | a coroutine | is begun here and now as a task of the loop; most have ended then | with `awaits=thread_loop()`, on the background loop |
//! | a task or future of the loop | its end calls back | it belongs to a loop that is not there |
//! | a Job | its end calls back | its end rings |
//! | a task of another run | by a Job | by a Job |
//!
//! On trio a coroutine is begun at the next turn of its loop.

use super::{
    future::Future,
    glue,
    run::{Host, Mailbox, Run},
    task::Task,
    waitable::{Outcome, Waitable},
};
use crate::{
    background,
    call::Hold,
    calling,
    context::current_context,
    coroutine::{self, Inherit},
    coroutine_job::CoroutineWork,
    home::Home,
    job::Job,
    names,
    source::{End, Ending, Request, Source, Watch},
    tasks::Turn,
};
use asyncferry::State;
use pyo3::{PyTraverseError, PyVisit, exceptions::PyRuntimeError, intern, prelude::*, types::PyDict};
use std::{
    sync::Arc,
    task::{Context, Poll, Wake, Waker},
};

/// What was begun to be awaited.
pub(super) enum Begun {
    Ended(Outcome),
    /// A task or a future of the same run.
    Own(Waitable),
    /// `future` is settled when `object` has ended.
    Waits {
        object: Py<PyAny>,
        future: Py<Future>,
    },
}

/// Whether a program of this run can wait for `object`.
pub(super) fn can_follow(run: &Bound<'_, Run>, object: &Bound<'_, PyAny>) -> PyResult<bool> {
    Ok(match run.get().host() {
        Host::Loop { .. } => true,
        Host::Thread { awaits, .. } => {
            *awaits
                || object.is_instance_of::<Job>()
                || object.is_instance_of::<Task>()
                || object.is_instance_of::<Future>()
        }
    })
}

/// Begins to await `object`, and to follow it to its end.
pub(super) fn begin(run: &Bound<'_, Run>, object: &Bound<'_, PyAny>) -> PyResult<Begun> {
    if object.is_instance_of::<Task>() || object.is_instance_of::<Future>() {
        return Waitable::of(run, object).map(Begun::Own);
    }
    let started = match run.get().host() {
        Host::Loop { home, .. } => on_loop(home, object)?,
        Host::Thread { .. } => on_thread(object)?,
    };
    if is_done(&started)? {
        return Ok(Begun::Ended(end_of(&started)));
    }
    let future = Future::foreign(run)?;
    follow(run, &started, &future)?;
    Ok(Begun::Waits { object: started.unbind(), future })
}

/// The future that stands for `object`, which is waited for and not cancelled.
pub(super) fn followed(run: &Bound<'_, Run>, object: &Bound<'_, PyAny>) -> PyResult<Py<Future>> {
    let py = run.py();
    // A task of another run is awaited as by anybody else.
    let job = match object.cast::<Task>() {
        Ok(task) => Some(job_of(py, task)?),
        Err(_) => None,
    };
    let object = job.as_ref().map_or(object, |job| job.as_any());
    match begin(run, object)? {
        Begun::Waits { future, .. } => Ok(future),
        Begun::Ended(outcome) => {
            let future = Future::hidden(run)?;
            let _ = future.get().settle(py, outcome);
            Ok(future)
        }
        Begun::Own(_) => unreachable!("those were told apart before"),
    }
}

/// Asks what is awaited to cancel. Gives whether that came in time.
pub(super) fn cancel(object: &Bound<'_, PyAny>, message: Option<&Py<PyAny>>) -> PyResult<bool> {
    let name = intern!(object.py(), "cancel");
    match message {
        Some(message) => calling::call_method(object, name, (message,)),
        None => calling::call_method(object, name, ()),
    }?
    .is_truthy()
}

/// A task of the loop, or what is like one.
fn on_loop<'py>(home: &Arc<Home>, object: &Bound<'py, PyAny>) -> PyResult<Bound<'py, PyAny>> {
    let py = object.py();
    if object.is_exact_instance_of::<Job>() {
        return Ok(object.clone());
    }
    let Some(event_loop) = home.event_loop(py) else {
        return Err(PyRuntimeError::new_err("the event loop of this program is gone"));
    };
    if names::is_coroutine(object) {
        let name = object.getattr(intern!(py, "__qualname__"))?;
        return home.tasks().start(&event_loop, object.clone(), name, None, Turn::This);
    }
    if object.hasattr(intern!(py, "add_done_callback"))? {
        if object.hasattr(intern!(py, "get_loop"))?
            && !calling::call_method(object, intern!(py, "get_loop"), ())?.is(&event_loop)
        {
            return Err(PyRuntimeError::new_err(format!(
                "{} belongs to another event loop than this program",
                glue::describe(object)
            )));
        }
        return Ok(object.clone());
    }
    let coroutine = glue::call(py, "awaiting", (object,))?;
    let name = object.get_type().getattr(intern!(py, "__qualname__"))?;
    home.tasks().start(&event_loop, coroutine, name, None, Turn::This)
}

/// A job of what the background loop runs.
fn on_thread<'py>(object: &Bound<'py, PyAny>) -> PyResult<Bound<'py, PyAny>> {
    let py = object.py();
    if object.is_exact_instance_of::<Job>() {
        return Ok(object.clone());
    }
    let name: String = match object.getattr_opt(intern!(py, "__qualname__"))? {
        Some(name) => name.extract()?,
        None => object.get_type().getattr(intern!(py, "__qualname__"))?.extract()?,
    };
    let home = background::home(py)?;
    let context = Inherit::Context(current_context(py)?);
    let future = coroutine::start(&home, object.clone().unbind(), context, Hold::Strongly);
    Ok(Job::of(py, Some(&name), CoroutineWork::new(future), None)?.into_any())
}

fn is_done(started: &Bound<'_, PyAny>) -> PyResult<bool> {
    calling::call_method(started, intern!(started.py(), "done"), ())?.is_truthy()
}

fn end_of(ended: &Bound<'_, PyAny>) -> Outcome {
    let py = ended.py();
    Outcome::of(py, calling::call_method(ended, intern!(py, "result"), ()))
}

/// Has `future` settled when `started` has ended.
fn follow(run: &Bound<'_, Run>, started: &Bound<'_, PyAny>, future: &Py<Future>) -> PyResult<()> {
    let py = run.py();
    match run.get().host() {
        Host::Loop { .. } => {
            let arrival = Bound::new(py, Arrival { future: future.clone_ref(py) })?;
            calling::call_method(started, intern!(py, "add_done_callback"), (arrival,)).map(drop)
        }
        Host::Thread { .. } => {
            let job = started.cast::<Job>()?;
            let Some(mut watch) = job.get().core().watch(py) else {
                let _ = future.get().settle(py, end_of(started));
                return Ok(());
            };
            let follower = Arc::new(Follower {
                mailbox: run.get().mailbox(),
                job: started.clone().unbind(),
                future: future.clone_ref(py),
            });
            let waker = Waker::from(follower.clone());
            if watch.poll_settled(&mut Context::from_waker(&waker)).is_ready() {
                follower.wake();
            } else {
                future.get().keep(py, Box::new(watch));
            }
            Ok(())
        }
    }
}

/// What was followed has ended. Where nobody waits for it any more, its outcome is left alone: an error is reported then, as
/// one that nobody has retrieved.
fn arrived(future: &Py<Future>, ended: &Bound<'_, PyAny>) {
    let py = ended.py();
    if future.get().settling(py, |settle| settle.has_task_waiters()) {
        let _ = future.get().settle(py, end_of(ended));
    }
}

/// The done-callback of what is awaited.
#[pyclass(frozen, module = "asyncferry.effects", name = "_Arrival")]
struct Arrival {
    future: Py<Future>,
}

#[pymethods]
impl Arrival {
    fn __call__(&self, ended: &Bound<'_, PyAny>) {
        arrived(&self.future, ended);
    }

    fn __traverse__(&self, visit: PyVisit<'_>) -> Result<(), PyTraverseError> {
        visit.call(&self.future)
    }
}

/// The waker of what is awaited where no loop runs.
struct Follower {
    mailbox: Mailbox,
    job: Py<PyAny>,
    future: Py<Future>,
}

impl Wake for Follower {
    fn wake(self: Arc<Self>) {
        let mailbox = self.mailbox.clone();
        mailbox.post(move |py| {
            arrived(&self.future, self.job.bind(py));
            Ok(())
        });
    }
}

/// What somebody outside of a run awaits.
pub(super) enum Awaited {
    Task(Py<Task>),
    Future(Py<Future>),
    /// A run's own program, and the future that is settled when all of the run is over.
    Run {
        root: Py<Task>,
        end: Py<Future>,
    },
}

impl Awaited {
    fn look(&self, py: Python<'_>) -> Option<Outcome> {
        match self {
            Self::Task(task) => task.get().settling(py, |settle| settle.look(py)),
            Self::Future(future) | Self::Run { end: future, .. } => {
                future.get().settling(py, |settle| settle.look(py))
            }
        }
    }

    /// What a cancel goes to.
    fn task(&self) -> Option<&Py<Task>> {
        match self {
            Self::Task(task) | Self::Run { root: task, .. } => Some(task),
            Self::Future(_) => None,
        }
    }
}

/// The job of a task, for those who are not in its run.
fn job_of<'py>(py: Python<'py>, task: &Bound<'py, Task>) -> PyResult<Bound<'py, Job>> {
    let (end, name) = (Task::watched(task), task.get().title(py));
    job(py, &name, Awaited::Task(task.clone().unbind()), end)
}

/// A job that ends as what is awaited does, when `end` says that it has.
pub(super) fn job<'py>(
    py: Python<'py>,
    name: &str,
    awaited: Awaited,
    end: asyncferry::Future<End>,
) -> PyResult<Bound<'py, Job>> {
    Job::of(py, Some(name), EffectWork { awaited: Arc::new(awaited), end }, None)
}

/// The iterator of an `await`.
pub(super) fn awaited<'py>(
    py: Python<'py>,
    name: &str,
    awaited: Awaited,
    end: asyncferry::Future<End>,
) -> PyResult<Bound<'py, PyAny>> {
    let job = job(py, name, awaited, end)?;
    calling::call_method(job.as_any(), intern!(py, "__await__"), ())
}

struct EffectWork {
    awaited: Arc<Awaited>,
    end: asyncferry::Future<End>,
}

impl Source for EffectWork {
    fn state(&self) -> State {
        match self.end.get() {
            Some(Ok(End::Value)) => State::Completed,
            Some(Ok(End::Error)) => State::Failed,
            Some(_) => State::Cancelled,
            None => State::Pending,
        }
    }

    fn poll_settled(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        self.end.poll_settled(cx)
    }

    fn watch(&self) -> Box<dyn Watch> {
        Box::new(EndWatch(self.end.clone()))
    }

    fn cancel(&self, message: &str) -> bool {
        self.end.cancel(message)
    }

    fn ending(&self, py: Python<'_>) -> Ending {
        match self.awaited.look(py) {
            Some(outcome) => Ending::of(py, outcome.into_result(py)),
            // Who waits for a promise was cancelled, and the promise was left alone.
            None => Ending::cancelled(py, None),
        }
    }

    fn request(&self) -> Option<Arc<dyn Request>> {
        self.awaited.task()?;
        Some(Arc::new(Ask(self.awaited.clone())))
    }

    fn traverse(&self, visit: &PyVisit<'_>) -> Result<(), PyTraverseError> {
        // Shared with nobody but what asks to cancel, for as long as that takes.
        match &*self.awaited {
            Awaited::Task(task) => visit.call(task),
            Awaited::Future(future) => visit.call(future),
            Awaited::Run { root, end } => {
                visit.call(root)?;
                visit.call(end)
            }
        }
    }
}

impl Drop for EffectWork {
    fn drop(&mut self) {
        if self.end.state() != State::Pending {
            return;
        }
        let Awaited::Run { root, .. } = &*self.awaited else { return };
        // Nobody waits for the program any more.
        glue::as_it_goes(|py| {
            let message = pyo3::types::PyString::new(py, "nobody waits for the program any more");
            if let Err(error) = Task::ask(root.bind(py), Some(message.into_any().unbind())) {
                error.write_unraisable(py, None);
            }
        });
    }
}

struct EndWatch(asyncferry::Future<End>);

impl Watch for EndWatch {
    fn poll_settled(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        self.0.poll_settled(cx)
    }

    fn end(&self) -> End {
        match self.0.get() {
            Some(Ok(end)) => *end,
            _ => End::Cancelled,
        }
    }
}

/// Asks a task of a run to cancel.
struct Ask(Arc<Awaited>);

impl Request for Ask {
    fn cancel(&self, py: Python<'_>, message: Option<Py<PyAny>>, _text: &str) -> PyResult<bool> {
        self.0.task().map_or(Ok(false), |task| Task::ask(task.bind(py), message))
    }
}

/// The keywords of `call_soon`, for a turn in the context of its run.
pub(super) fn in_context<'py>(context: &Bound<'py, PyAny>) -> PyResult<Bound<'py, PyDict>> {
    let keywords = PyDict::new(context.py());
    keywords.set_item(intern!(context.py(), "context"), context)?;
    Ok(keywords)
}
