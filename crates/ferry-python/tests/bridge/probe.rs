//! The Rust side of the test programs: the module `probe`.

use asyncferry::{AsyncError, Promise, promise};
use asyncferry_python::{
    ArtifactInfo, Home, Job, awaitable_to_future, blocking_to_awaitable, create_job_awaitable,
    future_to_awaitable, gather_impl, promise_to_awaitable, start_awaitable,
};
use pyo3::{exceptions::PyRuntimeError, prelude::*};
use std::{
    error::Error,
    fmt,
    sync::{
        Arc, Mutex,
        atomic::{AtomicUsize, Ordering},
        mpsc::{self, Receiver, Sender},
    },
    thread,
    time::Duration,
};

/// Long enough for any machine; only a broken bridge waits it out.
const PATIENCE: Duration = Duration::from_secs(30);

pub(crate) fn append_to_inittab() {
    pyo3::append_to_inittab!(probe);
}

/// Rust work that a program settles by hand, from whichever thread it likes.
#[pyclass(frozen)]
struct Manual {
    promise: Promise<i64>,
    outcome: Mutex<Option<asyncferry::Future<i64>>>,
    stopped: Arc<Mutex<Receiver<()>>>,
    guard: Mutex<Option<Stopped>>,
}

/// Tells when the Rust future that owns it is dropped.
struct Stopped(Sender<()>, Living);

impl Drop for Stopped {
    fn drop(&mut self) {
        let _ = self.0.send(());
    }
}

/// Stands in each future of this module, and counts those that are there.
struct Living;

static LIVING: AtomicUsize = AtomicUsize::new(0);

impl Living {
    fn new() -> Self {
        LIVING.fetch_add(1, Ordering::Relaxed);
        Self
    }
}

impl Drop for Living {
    fn drop(&mut self) {
        LIVING.fetch_sub(1, Ordering::Relaxed);
    }
}

#[pymethods]
impl Manual {
    #[new]
    fn new() -> Self {
        let (promise, outcome) = promise();
        let (sender, receiver) = mpsc::channel();
        Self {
            promise,
            outcome: Mutex::new(Some(outcome)),
            stopped: Arc::new(Mutex::new(receiver)),
            guard: Mutex::new(Some(Stopped(sender, Living::new()))),
        }
    }

    /// The job's awaitable, by way of a task on tokio's threads; there is one.
    fn start<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, Job>> {
        let outcome = self.outcome.lock().unwrap().take().unwrap();
        let guard = self.guard.lock().unwrap().take();
        future_to_awaitable(py, async move {
            let _guard = guard;
            outcome.await
        })
    }

    /// The job's awaitable, which is done as soon as the job is.
    fn direct<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, Job>> {
        promise_to_awaitable(py, Some("job"), self.outcome.lock().unwrap().take().unwrap())
    }

    fn complete(&self, value: i64) {
        let _ = self.promise.complete(value);
    }

    /// Completes it on another thread, and waits for that thread, so the GIL must not be needed there.
    fn complete_on_thread(&self, value: i64) {
        let promise = self.promise.clone();
        thread::spawn(move || promise.complete(value).unwrap()).join().unwrap();
    }

    fn fail(&self, text: &str) {
        self.promise.fail(text);
    }

    fn cancel(&self, message: &str) {
        self.promise.cancel(message);
    }

    /// Waits until the Rust future was dropped; `False` if it's not in all patience.
    fn stopped(&self, py: Python<'_>) -> bool {
        let stopped = self.stopped.clone();
        py.detach(move || stopped.lock().unwrap().recv_timeout(PATIENCE).is_ok())
    }
}

/// Takes the GIL when it's dropped, if there still is a Python.
struct TakesTheGil;

static TOOK_THE_GIL: AtomicUsize = AtomicUsize::new(0);

impl Drop for TakesTheGil {
    fn drop(&mut self) {
        if Python::try_attach(|_| ()).is_some() {
            TOOK_THE_GIL.fetch_add(1, Ordering::Relaxed);
        }
    }
}

/// How far a thread may go that completes jobs in step.
#[pyclass(frozen)]
struct Pace(Arc<AtomicUsize>);

#[pymethods]
impl Pace {
    fn step(&self) {
        self.0.fetch_add(1, Ordering::AcqRel);
    }
}

#[derive(Debug)]
struct Layered(&'static str, Option<Box<dyn Error + Send + Sync>>);

impl fmt::Display for Layered {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.0)
    }
}

impl Error for Layered {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        self.1.as_deref().map(|source| source as _)
    }
}

#[pymodule]
mod probe {
    use super::*;
    use pyo3::types::PyCFunction;
    use std::{future, hint};

    #[pymodule_export]
    use super::Manual;

    #[pyfunction]
    fn ready(py: Python<'_>, value: Py<PyAny>) -> PyResult<Bound<'_, Job>> {
        let living = Living::new();
        future_to_awaitable(py, async move {
            drop(living);
            Ok::<_, AsyncError>(value)
        })
    }

    /// Ready at its second poll, which a thread of tokio makes.
    #[pyfunction]
    fn later(py: Python<'_>, value: Py<PyAny>) -> PyResult<Bound<'_, Job>> {
        let living = Living::new();
        future_to_awaitable(py, async move {
            asyncferry::yield_now().await;
            drop(living);
            Ok::<_, AsyncError>(value)
        })
    }

    /// Waits until it's dropped.
    #[pyfunction]
    fn never(py: Python<'_>) -> PyResult<Bound<'_, Job>> {
        let living = Living::new();
        future_to_awaitable(py, async move {
            future::pending::<()>().await;
            drop(living);
            Ok::<_, AsyncError>(())
        })
    }

    /// How many futures of this module are there.
    #[pyfunction]
    fn living() -> usize {
        LIVING.load(Ordering::Relaxed)
    }

    /// Makes a function of this module known to `submit` by a name.
    #[pyfunction]
    fn register(py: Python<'_>, name: &str, function: Bound<'_, PyCFunction>) -> PyResult<()> {
        asyncferry_python::register(py, name, function)
    }

    /// Fails with an exception: as it is, inside another error, or inside an anyhow error.
    #[pyfunction]
    fn fail_with<'py>(py: Python<'py>, exception: Bound<'py, PyAny>, how: &str) -> PyResult<Bound<'py, Job>> {
        let error = PyErr::from_value(exception);
        match how {
            "bare" => future_to_awaitable(py, async { Err::<(), _>(error) }),
            "wrapped" => {
                future_to_awaitable(py, async { Err::<(), _>(Layered("outer", Some(error.into()))) })
            }
            "anyhow" => future_to_awaitable(py, async { Err::<(), _>(anyhow::Error::from(error)) }),
            "context" => {
                future_to_awaitable(py, async { Err::<(), _>(anyhow::Error::from(error).context("outer")) })
            }
            _ => Err(PyRuntimeError::new_err("unknown way")),
        }
    }

    #[pyfunction]
    fn fail_layered(py: Python<'_>) -> PyResult<Bound<'_, Job>> {
        let inner = Layered("disk on fire", None);
        future_to_awaitable(py, async { Err::<(), _>(Layered("can't save", Some(Box::new(inner)))) })
    }

    /// Panics in the call itself, so that Python sees what PyO3 makes of it: a `PanicException`.
    #[pyfunction]
    fn boom_here(text: String) {
        panic!("{text}");
    }

    #[pyfunction]
    fn boom(py: Python<'_>, text: String, at_once: bool) -> PyResult<Bound<'_, Job>> {
        let living = Living::new();
        future_to_awaitable(py, async move {
            let _living = living;
            if !at_once {
                asyncferry::yield_now().await;
            }
            if true {
                panic!("{text}");
            }
            Ok::<_, AsyncError>(())
        })
    }

    /// What `how` says about a job whose awaitable `create_job_awaitable` makes.
    #[pyfunction]
    fn artifact<'py>(py: Python<'py>, how: &str) -> PyResult<Bound<'py, Job>> {
        let info = ArtifactInfo { id: "a".into(), content_hash: "b".into(), tags: vec!["c".into()] };
        let (promise, receiver) = promise();
        let (sender, oneshot) = tokio::sync::oneshot::channel();
        match how {
            "completed" => {
                let _ = promise.complete(info);
            }
            "failed" => {
                let _ = promise.fail("no disk");
            }
            "cancelled" => {
                let _ = promise.cancel("by its owner");
            }
            "oneshot" => {
                sender.send(info).unwrap();
                return create_job_awaitable(py, "job-1".into(), oneshot);
            }
            "oneshot dropped" => {
                drop(sender);
                return create_job_awaitable(py, "job-1".into(), oneshot);
            }
            _ => {}
        }
        create_job_awaitable(py, "job-1".into(), receiver)
    }

    #[pyfunction]
    fn gather<'py>(py: Python<'py>, aws: Vec<Bound<'py, PyAny>>) -> PyResult<Bound<'py, Job>> {
        gather_impl(py, aws)
    }

    /// Awaits `awaitable` in Rust, and gives what came.
    #[pyfunction]
    fn relay<'py>(awaitable: &Bound<'py, PyAny>) -> PyResult<Bound<'py, Job>> {
        let future = awaitable_to_future(awaitable.py(), awaitable)?;
        future_to_awaitable(awaitable.py(), future)
    }

    /// Hands `awaitables` to this loop from a thread that never takes the GIL, and gives their results.
    #[pyfunction]
    fn relay_from_thread<'py>(py: Python<'py>, awaitables: Vec<Py<PyAny>>) -> PyResult<Bound<'py, Job>> {
        let home = Home::here(py)?;
        let (promise, outcome) = promise::<Vec<String>>();
        thread::spawn(move || {
            let started: Vec<_> =
                awaitables.into_iter().map(|awaitable| start_awaitable(&home, awaitable)).collect();
            let all = asyncferry::AsyncRuntime::block_on(async move {
                let mut results = Vec::new();
                for future in started {
                    results.push(future.await);
                }
                results
            });
            let shown = all.into_iter().map(|result| match result {
                Ok(_) => "ok".to_owned(),
                Err(_) => "error".to_owned(),
            });
            let _ = promise.complete(shown.collect());
        });
        future_to_awaitable(py, outcome)
    }

    /// Begins to await `awaitable` in Rust, and drops that future at once.
    #[pyfunction]
    fn drop_at_once(awaitable: &Bound<'_, PyAny>) -> PyResult<()> {
        drop(awaitable_to_future(awaitable.py(), awaitable)?);
        Ok(())
    }

    /// Completes all `jobs` on another thread, in one go.
    #[pyfunction]
    fn complete_all(py: Python<'_>, jobs: Vec<Py<Manual>>) {
        on_a_thread(py, jobs, |value, promise| {
            let _ = promise.complete(value);
        });
    }

    /// Has all `jobs` end with `outcome` on another thread, in one go.
    #[pyfunction]
    fn settle_all(py: Python<'_>, jobs: Vec<Py<Manual>>, outcome: &str) -> PyResult<()> {
        let settle: fn(i64, Promise<i64>) = match outcome {
            "done" => |value, promise| {
                let _ = promise.complete(value);
            },
            "failed" => |_, promise| {
                let _ = promise.fail("by Rust");
            },
            "cancelled" => |_, promise| {
                let _ = promise.cancel("by Rust");
            },
            _ => return Err(PyRuntimeError::new_err("unknown outcome")),
        };
        on_a_thread(py, jobs, settle);
        Ok(())
    }

    fn on_a_thread(py: Python<'_>, jobs: Vec<Py<Manual>>, settle: fn(i64, Promise<i64>)) {
        let promises: Vec<_> = jobs.iter().map(|job| job.get().promise.clone()).collect();
        let thread = thread::spawn(move || (0..).zip(promises).for_each(|(value, each)| settle(value, each)));
        py.detach(|| thread.join().unwrap());
    }

    /// Completes `jobs` from now on, one by one and slowly, on a thread that goes on while Python ends.
    #[pyfunction]
    fn complete_while_python_ends(jobs: Vec<Py<Manual>>) {
        let promises: Vec<_> = jobs.iter().map(|job| job.get().promise.clone()).collect();
        thread::spawn(move || {
            for (value, promise) in (0..).zip(promises) {
                let _ = promise.complete(value);
                for _ in 0..20_000 {
                    hint::spin_loop();
                }
            }
        });
    }

    /// Completes `jobs` one by one on another thread, each about when [`Pace::step`] is called for it: some
    /// microseconds later, a few more each time, and then none again.
    #[pyfunction]
    fn complete_in_step(jobs: Vec<Py<Manual>>) -> Pace {
        let promises: Vec<_> = jobs.iter().map(|job| job.get().promise.clone()).collect();
        let steps = Arc::new(AtomicUsize::new(0));
        let theirs = steps.clone();
        thread::spawn(move || {
            for (number, promise) in promises.into_iter().enumerate() {
                while theirs.load(Ordering::Acquire) <= number {
                    thread::yield_now();
                }
                for _ in 0..number % 100 * 20 {
                    hint::spin_loop();
                }
                let _ = promise.complete(number as i64);
            }
        });
        Pace(steps)
    }

    /// A future that tokio's threads poll without end.
    #[pyfunction]
    fn spin(py: Python<'_>) -> PyResult<Bound<'_, Job>> {
        future_to_awaitable(py, async {
            loop {
                asyncferry::yield_now().await;
            }
            #[expect(unreachable_code, reason = "it says what the type would be")]
            Ok::<(), AsyncError>(())
        })
    }

    /// Blocking work of Rust, which ends when `gate` is completed, with its value.
    #[pyfunction]
    fn blocks_until<'py>(py: Python<'py>, gate: &Manual) -> PyResult<Bound<'py, Job>> {
        let outcome = gate.outcome.lock().unwrap().clone().unwrap();
        blocking_to_awaitable(py, move |_| asyncferry::AsyncRuntime::block_on(outcome))
    }

    /// A future that waits until it's dropped, and takes the GIL then.
    #[pyfunction]
    fn takes_the_gil_when_dropped(py: Python<'_>) -> PyResult<Bound<'_, Job>> {
        let takes = TakesTheGil;
        future_to_awaitable(py, async move {
            future::pending::<()>().await;
            drop(takes);
            Ok::<_, AsyncError>(())
        })
    }

    /// How often the GIL was taken by those who were dropped, and by threads of runtimes that were.
    #[pyfunction]
    fn took_the_gil() -> usize {
        TOOK_THE_GIL.load(Ordering::Relaxed)
    }

    /// Runs a loop of Rust with the GIL held. At its end a task of its runtime is left over, so that the runtime is
    /// dropped, and a thread of it waits for the GIL.
    #[pyfunction]
    fn run_a_loop_with_the_gil() -> usize {
        asyncferry::AsyncRuntime::block_on(async {
            let takes = TakesTheGil;
            drop(tokio::spawn(async move {
                future::pending::<()>().await;
                drop(takes);
            }));
            let (sender, started) = tokio::sync::oneshot::channel();
            drop(tokio::task::spawn_blocking(move || {
                sender.send(()).unwrap();
                drop(TakesTheGil);
            }));
            started.await.unwrap();
            1
        })
    }

    /// A future whose first poll takes a lock, which another thread holds until it has got the GIL.
    #[pyfunction]
    fn poll_under_lock(py: Python<'_>) -> PyResult<Bound<'_, Job>> {
        let lock = Arc::new(Mutex::new(()));
        let (sender, receiver) = mpsc::channel();
        let theirs = lock.clone();
        thread::spawn(move || {
            let _held = theirs.lock().unwrap();
            sender.send(()).unwrap();
            Python::attach(|_| ());
        });
        receiver.recv().unwrap();
        future_to_awaitable(py, async move { Ok::<_, AsyncError>(lock.lock().map(|_| 1).unwrap()) })
    }

    /// A job that another thread completes while it holds a lock. This thread takes that lock too, with the
    /// GIL held, once the other has it.
    #[pyfunction]
    fn under_lock(py: Python<'_>) -> PyResult<Bound<'_, Job>> {
        let (promise, outcome) = promise::<i64>();
        // Its waiters are woken on the thread that completes it, not on one of tokio's.
        let aw = promise_to_awaitable(py, None, outcome)?;
        aw.call_method1("add_done_callback", (py.get_type::<Job>().getattr("done")?,))?;
        let lock = Arc::new(Mutex::new(()));
        let (sender, receiver) = mpsc::channel();
        let theirs = lock.clone();
        let thread = thread::spawn(move || {
            let _held = theirs.lock().unwrap();
            sender.send(()).unwrap();
            promise.complete(1).unwrap();
        });
        receiver.recv().unwrap();
        drop(lock.lock().unwrap());
        thread.join().unwrap();
        Ok(aw)
    }
}
