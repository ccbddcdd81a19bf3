//! Ferry's Python threads: where functions run that were given to `submit`. They are the only threads of Ferry
//! that wait for the GIL.
//!
//! ```text
//!   submit ──push──▶ queue ──pop, with the GIL──▶ a thread calls the function ──▶ settles the job's promise
//! ```
//!
//! # How many run
//!
//! A thread that waits for the GIL costs nothing, and one that computes gains nothing by company. So one thread
//! at a time *searches*: it was woken or started, and has not got its first call yet. Only when it gets one, and
//! there is more in the queue, does it send the next one searching. A burst of short functions is done by the
//! first thread that gets the GIL, while functions that wait for something give up the GIL, and the searcher
//! goes on with the next. At most [`threads`](Limits::threads) are started; they stay.
//!
//! # What is stopped how
//!
//! A call that nobody waits for any more leaves the queue, and its arguments go. One that runs can't be stopped: it
//! may ask `check_cancelled()`. When Python exits, what is queued is dropped, and what runs is waited for, as
//! `concurrent.futures` does: a thread that came back from waiting into an interpreter which is gone would take
//! the process down.
//!
//! # Locks
//!
//! The queue's lock is held for a few instructions, never while waiting for the GIL, and no Python object is
//! dropped under it.

use crate::{
    activity::Activity,
    background,
    call::Hold,
    calling,
    context::empty_context,
    coroutine::{Inherit, never_started, start},
    coroutine_job::UNWANTED,
    exit,
    expose::ready,
    failure::boxed,
    fork::PerProcess,
    glue,
    home::{Home, report_nowhere},
    names,
    source::Once,
    value,
};
use asyncferry::{
    AsyncError, AsyncRuntime, Failure, Promise, State, Value, ValueLimits,
    jobs::{JobMeter, Metered},
};
use futures_lite::future::or;
use pyo3::{
    exceptions::PyRuntimeError,
    intern,
    prelude::*,
    types::{PyDict, PyString, PyTuple},
};
use std::{
    borrow::Cow,
    collections::VecDeque,
    future::poll_fn,
    num::NonZeroUsize,
    panic::{AssertUnwindSafe, catch_unwind},
    sync::{Arc, Condvar, Mutex, MutexGuard, OnceLock, PoisonError},
    thread::{self, Thread},
    time::Duration,
};

/// More than this may not wait, unless it's set otherwise.
const MOST_QUEUED: NonZeroUsize = NonZeroUsize::new(1 << 20).unwrap();

/// As much stack as a main thread has. Python's limit of recursion is made for that, and Rust's default is a quarter.
const STACK: usize = 8 << 20;

/// Why a coroutine is cancelled that can't begin.
const CLOSED: &str = "its event loop was closed";

/// How often a thread that waits for the others to end looks whether Ctrl-C was pressed.
const GLANCE: Duration = Duration::from_millis(50);

/// A function that is to be called on a thread.
pub(crate) struct Call {
    pub(crate) called: Arc<Called>,
    pub(crate) activity: Arc<Activity>,
    pub(crate) promise: Promise<Once<Py<PyAny>>>,
    /// Counts it, unless a pool does.
    pub(crate) metered: Option<Metered>,
}

/// What is called, once or for each attempt.
pub(crate) struct Called {
    pub(crate) name: String,
    pub(crate) what: What,
    /// An empty one, if there is none.
    pub(crate) context: Option<Py<PyAny>>,
    /// The loop that submitted it, if one did.
    pub(crate) home: Option<Arc<Home>>,
}

/// A function, and its arguments.
pub(crate) enum What {
    Python {
        function_and_arguments: Py<PyTuple>,
        keywords: Option<Py<PyDict>>,
    },
    /// Arguments of another language; the result goes there as well.
    Values {
        function: Arc<Py<PyAny>>,
        arguments: Value,
        answer: Answer,
    },
}

/// Where the result of a function goes that another language called.
pub(crate) type Answer = Arc<Mutex<Option<Value>>>;

/// What there may be of each.
#[derive(Clone, Copy)]
pub(crate) struct Limits {
    pub(crate) threads: NonZeroUsize,
    pub(crate) queued: NonZeroUsize,
}

struct Threads {
    queue: Mutex<Queue>,
    /// A thread has ended.
    gone: Condvar,
}

struct Queue {
    /// In the order of their numbers.
    calls: VecDeque<Queued>,
    next_number: u64,
    /// How many of the calls are only gaps.
    gaps: usize,
    threads: usize,
    limits: Limits,
    /// Those that sleep. The last to fall asleep is woken first, as its memory is still in the cache.
    idle: Vec<Thread>,
    /// A thread was woken or started, and has not looked at the queue yet.
    is_searched: bool,
    is_over: bool,
}

struct Queued {
    number: u64,
    /// A gap is where a call was that nobody waits for any more.
    call: Option<Call>,
}

static THREADS: PerProcess<Arc<Threads>> = PerProcess::new();

/// Has a thread run `call`.
///
/// # Errors
/// `RuntimeError` when a million calls wait already, Python exits, or the system gives no thread.
pub(crate) fn submit(py: Python<'_>, call: Call) -> PyResult<()> {
    exit::refuse_late("submit a function")?;
    of_this_process(py)?.submit(call).map_err(PyRuntimeError::new_err)
}

/// Makes sure that there are threads, for those who will [`submit_from_rust`].
pub(crate) fn prepare(py: Python<'_>) -> PyResult<()> {
    of_this_process(py).map(drop)
}

/// As [`submit`], without the GIL. The threads were [`prepare`]d.
///
/// # Errors
/// A sentence, where [`submit`] raises.
pub(crate) fn submit_from_rust(call: Call) -> Result<(), String> {
    let threads = THREADS.get().ok_or("this process was forked, and the job is its parent's")?;
    threads.submit(call)
}

/// Counts a call of the function `name` that no pool counts, if anybody looks.
pub(crate) fn metered(name: &str) -> Option<Metered> {
    static METER: OnceLock<JobMeter> = OnceLock::new();
    asyncferry::jobs::are_metrics_kept()
        .then(|| METER.get_or_init(|| JobMeter::new("submit()")).submitted(name, 0))
}

/// A call that is counted has ended.
fn count(metered: Option<Metered>, end: fn(Metered)) {
    if let Some(metered) = metered {
        end(metered);
    }
}

/// How many calls are in front of the one with this `number`.
pub(crate) fn before(number: u64) -> usize {
    THREADS.get().map_or(0, |threads| {
        let queue = threads.lock();
        queue.calls.range(..queue.place_of(number)).filter(|queued| queued.call.is_some()).count()
    })
}

/// Nobody waits any more for the call with this `number`, if it's still in the queue. Python code may run, of what is
/// dropped.
pub(crate) fn take_back(number: u64) {
    let taken = THREADS.get().and_then(|threads| threads.lock().take_back(number));
    drop(taken);
}

/// Changes the limits. Threads that run already stay, and so does what is queued.
pub(crate) fn set_limits(py: Python<'_>, change: impl FnOnce(&mut Limits)) -> PyResult<()> {
    change(&mut of_this_process(py)?.lock().limits);
    Ok(())
}

/// Python exits: takes no more calls, and waits for those that run and those that are queued, as Python's own pools do.
///
/// # Errors
/// What Ctrl-C raises, while functions still run.
pub(crate) fn end(py: Python<'_>) -> PyResult<()> {
    let Some(threads) = THREADS.get() else { return Ok(()) };
    let idle = {
        let mut queue = threads.lock();
        queue.is_over = true;
        std::mem::take(&mut queue.idle)
    };
    idle.iter().for_each(Thread::unpark);
    while !py.detach(|| threads.are_gone()) {
        py.check_signals()?;
    }
    Ok(())
}

fn of_this_process(py: Python<'_>) -> PyResult<Arc<Threads>> {
    THREADS.get_or_try_init(py, || {
        exit::watch(py)?;
        Ok(Arc::new(Threads::new()))
    })
}

/// Which thread is to look at the queue.
enum Search {
    /// One does, or all are busy.
    Nobody,
    Idle(Thread),
    New(usize),
}

impl Queue {
    fn push(&mut self, call: Call) {
        self.calls.push_back(Queued { number: self.next_number, call: Some(call) });
        self.next_number += 1;
    }

    fn pop(&mut self) -> Option<Call> {
        while let Some(queued) = self.calls.pop_front() {
            match queued.call {
                Some(call) => return Some(call),
                None => self.gaps -= 1,
            }
        }
        None
    }

    fn take_last(&mut self) -> Option<Call> {
        let last = self.calls.pop_back()?;
        self.gaps -= usize::from(last.call.is_none());
        last.call
    }

    fn take_back(&mut self, number: u64) -> Option<Call> {
        let place = self.place_of(number);
        let queued = self.calls.get_mut(place).filter(|queued| queued.number == number)?;
        let call = queued.call.take()?;
        self.gaps += 1;
        // Closed when they are as many as what waits, which costs each call that left a constant time.
        if self.gaps > self.waiting() {
            self.calls.retain(|queued| queued.call.is_some());
            self.gaps = 0;
        }
        Some(call)
    }

    /// Where the call with this number stands, or would.
    fn place_of(&self, number: u64) -> usize {
        self.calls.partition_point(|queued| queued.number < number)
    }

    fn waiting(&self) -> usize {
        self.calls.len() - self.gaps
    }

    /// Makes sure that somebody looks at the queue, if anybody can.
    fn search(&mut self) -> Search {
        if self.is_searched || self.waiting() == 0 {
            return Search::Nobody;
        }
        if let Some(thread) = self.idle.pop() {
            self.is_searched = true;
            return Search::Idle(thread);
        }
        if self.threads < self.limits.threads.get() {
            self.is_searched = true;
            self.threads += 1;
            return Search::New(self.threads);
        }
        Search::Nobody
    }
}

impl Threads {
    fn submit(self: &Arc<Self>, call: Call) -> Result<(), String> {
        let mut queue = self.lock();
        if queue.is_over {
            return Err("can't submit a function while Python exits".to_owned());
        }
        let most = queue.limits.queued.get();
        if queue.waiting() >= most {
            return Err(format!(
                "{most} submitted functions wait for a thread already: await some before you submit more, or \
                 use map(), which has a limit"
            ));
        }
        call.activity.is_queued(queue.next_number);
        queue.push(call);
        let search = queue.search();
        drop(queue);
        self.send(search).or_else(|error| self.without_new_thread(error))
    }

    fn new() -> Self {
        // As many as CPython's own pool has.
        let cores = thread::available_parallelism().unwrap_or(NonZeroUsize::MIN);
        let threads = cores.saturating_add(4).min(const { NonZeroUsize::new(32).unwrap() });
        let queue = Queue {
            calls: VecDeque::new(),
            next_number: 0,
            gaps: 0,
            threads: 0,
            limits: Limits { threads, queued: MOST_QUEUED },
            idle: Vec::new(),
            is_searched: false,
            is_over: false,
        };
        Self { queue: Mutex::new(queue), gone: Condvar::new() }
    }

    fn lock(&self) -> MutexGuard<'_, Queue> {
        self.queue.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn send(self: &Arc<Self>, search: Search) -> std::io::Result<()> {
        match search {
            Search::Nobody => Ok(()),
            Search::Idle(thread) => {
                thread.unpark();
                Ok(())
            }
            Search::New(number) => {
                let threads = self.clone();
                let name: Arc<str> = format!("asyncferry_{number}").into();
                let thread = thread::Builder::new().name(name.to_string()).stack_size(STACK);
                thread.spawn(move || threads.serve(&name)).map(drop)
            }
        }
    }

    /// The system gave no new thread: those that there are must do. Where there is none, nothing can be run.
    fn without_new_thread(&self, error: std::io::Error) -> Result<(), String> {
        let refused = {
            let mut queue = self.lock();
            queue.threads -= 1;
            queue.is_searched = false;
            if queue.threads == 0 { queue.take_last() } else { None }
        };
        match refused {
            Some(_) => Err(format!("the system gives no thread to run it on: {error}")),
            None => Ok(()),
        }
    }

    /// A thread's life.
    fn serve(self: &Arc<Self>, name: &Arc<str>) {
        // A panic out of a function's own Rust code is its job's end, not the thread's.
        let lived = Python::try_attach(|py| {
            introduce(py, name);
            while let Some(call) = self.next(py) {
                call.run(py, name);
            }
        });
        let mut queue = self.lock();
        queue.threads -= 1;
        if lived.is_none() {
            // Python is gone or going, and nobody else will come.
            queue.is_over = true;
        }
        drop(queue);
        self.gone.notify_all();
    }

    /// The next call, with the GIL; without it while there is none.
    fn next(self: &Arc<Self>, py: Python<'_>) -> Option<Call> {
        loop {
            let (call, search) = {
                let mut queue = self.lock();
                // Whoever looks, the queue is looked at.
                queue.is_searched = false;
                let call = queue.pop();
                if call.is_none() && queue.is_over {
                    return None;
                }
                if call.is_none() {
                    // In the same moment, so that a call which comes now starts no other thread.
                    queue.idle.push(thread::current());
                }
                (call, queue.search())
            };
            // When no thread comes, this one comes back for what is there.
            if self.send(search).is_err() {
                let mut queue = self.lock();
                queue.threads -= 1;
                queue.is_searched = false;
            }
            match call {
                Some(call) => return Some(call),
                None => py.detach(|| self.wait()),
            }
        }
    }

    /// Sleeps, as one of the idle, until it's sent searching, or all is over.
    fn wait(&self) {
        let me = thread::current();
        let mut queue = self.lock();
        while queue.idle.iter().any(|idle| idle.id() == me.id()) {
            drop(queue);
            thread::park();
            queue = self.lock();
        }
    }

    /// Whether all threads have ended, after a while.
    fn are_gone(&self) -> bool {
        let queue = self.lock();
        let waited = self.gone.wait_timeout_while(queue, GLANCE, |queue| queue.threads > 0);
        waited.unwrap_or_else(PoisonError::into_inner).0.threads == 0
    }
}

/// Takes what a function gives to another language, on the thread that it runs on.
#[pyclass(frozen, module = "asyncferry", name = "_AnswerTo")]
struct AnswerTo(Answer);

#[pymethods]
impl AnswerTo {
    fn __call__(&self, result: &Bound<'_, PyAny>) -> PyResult<()> {
        let value = value::to_value(result, &ValueLimits::default())?;
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = Some(value);
        Ok(())
    }
}

/// Tells Python's `threading` of this thread: its name, and what traces or profiles all threads.
fn introduce(py: Python<'_>, name: &str) {
    let known = || {
        let threading = py.import("threading")?;
        threading.call_method0("current_thread")?.setattr("name", name)?;
        for (of, hook) in [("gettrace", "settrace"), ("getprofile", "setprofile")] {
            let function = threading.call_method0(of)?;
            if !function.is_none() {
                py.import("sys")?.call_method1(hook, (function,))?;
            }
        }
        Ok::<_, PyErr>(())
    };
    if let Err(error) = known() {
        report_nowhere(py, "Ferry could not name its thread", &error);
    }
}

/// Whether a function has not done its work but begun it: it gave a coroutine or a job, of this bridge or that of
/// another extension module.
fn is_started_work(value: &Bound<'_, PyAny>) -> bool {
    let class = value.get_type();
    let is = |found: PyResult<Bound<'_, PyString>>, wanted| found.is_ok_and(|found| found == wanted);
    names::is_coroutine(value) || is(class.name(), "Job") && is(class.module(), "asyncferry")
}

impl Call {
    fn run(mut self, py: Python<'_>, thread: &Arc<str>) {
        if self.promise.state() != State::Pending {
            return;
        }
        self.activity.is_on_thread(thread);
        let mut metered = self.metered.take();
        if let Some(metered) = &mut metered {
            metered.begun();
        }
        let called = catch_unwind(AssertUnwindSafe(|| self.call(py)));
        match called {
            Ok(Ok(value)) if is_started_work(value.bind(py)) => match self.go_on_at_home(py, &value) {
                Ok(()) => {
                    count(metered, Metered::done);
                    return;
                }
                Err(error) => self.fail(py, error),
            },
            Ok(Ok(value)) => {
                count(metered.take(), Metered::done);
                drop(self.promise.complete(Once::new(value)));
            }
            Ok(Err(error)) => self.fail(py, error),
            Err(panic) => drop(self.promise.settle(Err(Failure::from(AsyncError::from_panic(panic))))),
        }
        count(metered, Metered::failed);
        self.activity.progress().close();
    }

    fn call(&self, py: Python<'_>) -> PyResult<Py<PyAny>> {
        let context = self.context(py)?;
        let run = context.bind(py).getattr(intern!(py, "run"))?;
        match &self.called.what {
            What::Python { function_and_arguments, keywords } => {
                let keywords = keywords.as_ref().map(|keywords| keywords.bind(py));
                calling::call(&run, function_and_arguments.bind(py), keywords).map(Bound::unbind)
            }
            What::Values { function, arguments, answer } => {
                let arguments = (
                    glue::get(py, "call_with_values")?,
                    function.clone_ref(py),
                    value::to_python(py, arguments)?,
                    Bound::new(py, AnswerTo(answer.clone()))?,
                );
                calling::call(&run, arguments, None).map(Bound::unbind)
            }
        }
    }

    /// What it's called in.
    fn context(&self, py: Python<'_>) -> PyResult<Py<PyAny>> {
        let given = match &self.called.context {
            Some(context) => context.clone_ref(py),
            None => empty_context(py)?.unbind(),
        };
        // Two attempts may run at once, and a context can't be entered twice.
        if self.activity.as_attempt().is_some() { self.activity.context_of(py, &given) } else { Ok(given) }
    }

    /// The function was an async one in disguise: what it gave is awaited on the loop that submitted it.
    fn go_on_at_home(&self, py: Python<'_>, coroutine: &Py<PyAny>) -> PyResult<()> {
        ready(py)?;
        let home = self.called.home.clone().map_or_else(|| background::home(py), Ok)?;
        if self.promise.state() != State::Pending {
            // Nobody waits any more.
            return never_started(coroutine.bind(py));
        }
        if home.is_over(py) {
            // As a task is whose loop is closed before it begins.
            if let Some(attempt) = self.activity.as_attempt() {
                let _ = attempt.cancelled.set(CLOSED.to_owned());
            }
            self.promise.cancel(CLOSED);
            return never_started(coroutine.bind(py));
        }
        let context = self.context(py)?;
        let mut reply = start(&home, coroutine.clone_ref(py), Inherit::Context(context), Hold::Strongly)
            .saying(UNWANTED)
            .for_rust();
        self.activity.goes_on(reply.stop());
        let (promise, activity) = (self.promise.clone(), self.activity.clone());
        AsyncRuntime::tokio().spawn(async move {
            let given_up = async {
                promise.settled().await;
                false
            };
            let answered = async {
                poll_fn(|cx| reply.poll_settled(cx)).await;
                true
            };
            if !or(answered, given_up).await {
                // Whoever gave it up may have said why.
                let why = activity.stopped().filter(|why| !why.is_empty()).map(str::to_owned);
                return drop(reply.saying(why.map_or(UNWANTED.into(), Cow::Owned)));
            }
            if let (Some(attempt), Some(message)) = (activity.as_attempt(), reply.was_cancelled()) {
                let _ = attempt.cancelled.set(message);
            }
            match reply.await {
                Ok(value) => drop(promise.complete(Once::new(value))),
                Err(error) => drop(promise.fail(error)),
            }
        });
        Ok(())
    }

    /// An error that comes when nobody waits any more is reported, unless it says just that.
    fn fail(&self, py: Python<'_>, error: PyErr) {
        if let Some(attempt) = self.activity.as_attempt()
            && names::is_cancelled_error(error.value(py)).unwrap_or(false)
        {
            let _ = attempt.cancelled.set(error.value(py).to_string());
        }
        let Err(_) = self.promise.settle(Err(Failure::from_error(boxed(error.clone_ref(py))))) else {
            return;
        };
        if names::is_cancelled_error(error.value(py)).unwrap_or(false) {
            return;
        }
        let message = format!("Job '{}' failed after it was cancelled", self.called.name);
        let home = self.called.home.clone();
        match home {
            Some(home) => {
                home.run(move |py, home| home.report(py, &message, error));
            }
            None => report_nowhere(py, &message, &error),
        }
    }
}
