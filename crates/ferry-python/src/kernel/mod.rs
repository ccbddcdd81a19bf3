//! [`Kernel`]: CPython as a guest of a Rust program, which runs pieces of code, *cells*, in one namespace.
//!
//! ```text
//!   any thread, without the GIL            the thread "ferry-python", one asyncio loop
//!   ───────────────────────────            ───────────────────────────────────────────
//!   Kernel::run(code) ──letter──▶ a task: compile, execute, await what the top level awaits
//!   OutputStream::next ◀──────── what it prints, while it runs
//!   Cell.await         ◀──────── its outcome
//!   Cell::cancel, or its drop ──letter──▶ task.cancel(): CancelledError at its next await
//!   Cell::interrupt ──a pool's thread──▶ KeyboardInterrupt in the cell's code, also if it never awaits
//!   Kernel::shutdown   ──letter──▶ all cells are cancelled, the loop ends, the thread ends
//! ```
//!
//! Cells run at once, as tasks do: one that awaits lets the others go on, and one that computes holds them up
//! (`asyncio.to_thread` is for that). They share their globals, those of `__main__`, which is also where a host
//! puts what it offers to cells: a function that gives a [`Job`](crate::Job), for one, which they await. The
//! example `agent_host` is a whole program around a kernel.
//!
//! # Input and output
//!
//! What a cell prints is its own, also from tasks that it started and from `asyncio.to_thread`; what comes from
//! plain threads, and from tasks that outlive their cell, goes to the process's own output. So does what a
//! subprocess prints to the output that it inherits: `sys.stdout.fileno()` is the process's own. To have that in
//! the cell, let the cell read it (`stdout=subprocess.PIPE`) and print it.
//!
//! In a cell, `sys.stdout` and `sys.stderr` take any text and any bytes (as UTF-8, also in pieces), are no
//! terminal, and accept `reconfigure` and `close` without effect. `sys.stdin` is at its end: `input()` raises
//! `EOFError`, as reading would hold up all cells. A subprocess inherits the process's own input.
//!
//! # How a cell may misbehave
//!
//! | a cell that | ends with |
//! |---|---|
//! | is no Python, or nests too deep to be compiled | [`CellErrorKind::Syntax`]; nothing of it was run |
//! | prints without end | its output cut off at the [limit](Kernel::set_output_limit), which it can't notice |
//! | calls `sys.exit`, or raises KeyboardInterrupt | [`CellErrorKind::Exit`] or `Raised`; the kernel goes on |
//! | is cancelled or interrupted, and catches it | what it makes of it; it can be asked again |
//! | never awaits | nothing, if it's cancelled; [`Cell::interrupt`] stops it |
//! | sits in a call that isn't Python's (`time.sleep`) | nothing until the call returns, and all cells wait |
//! | recurses too deep | a `RecursionError`, as [`CellErrorKind::Raised`] |
//!
//! A cell has all the rights of the process, so this is no sandbox: `os._exit`, a crash in an extension module
//! or lack of memory ends the process with all cells. Run code that you don't trust in a process of its own, with
//! the system's bounds around it.
//!
//! `SystemExit` and `KeyboardInterrupt` end the cell or the task that raises them, and no more; `loop.stop()`
//! does not end the kernel either. Should its loop break in another way, the kernel counts as shut down: its
//! cells end with [`CellErrorKind::KernelGone`], and [`Kernel::start`] gives a new one.

mod at_work;
mod cell;
mod control;
mod interrupt;
mod output;
mod steps;
mod utf8;

pub use cell::{Cell, CellError, CellErrorKind, CellOutcome};
pub use control::CellControl;
pub use output::{Chunk, OutputStream, Stream};

use crate::{
    home::{self, Home},
    interpreter::{self, StartError},
};
use interrupt::Interrupts;
use pyo3::{ffi, intern, prelude::*, sync::PyOnceLock, types::PyModule};
use std::{
    fmt, io,
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering},
        mpsc,
    },
    thread::{self, JoinHandle},
};
use steps::Shielded;

/// What a cell may print, and how long the representation of its value may be, unless set otherwise.
const OUTPUT_LIMIT: usize = 16 << 20;

/// The stack of the kernel's thread, in bytes: that of a main thread. CPython's bounds on recursion count on so
/// much (a cell that recurses by way of C code, as a key of `sorted` may, needs more than 2 MiB of it in Python
/// 3.13 before its RecursionError).
const STACK: usize = 8 << 20;

/// CPython, ready to run cells. Clones are the same kernel. See the [module](crate::kernel).
///
/// ```
/// use asyncferry::AsyncRuntime;
/// use asyncferry_python::kernel::Kernel;
///
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let kernel = Kernel::start()?;
/// let outcome = AsyncRuntime::block_on(async {
///     kernel.run("import asyncio\nhalf = 21").await?;
///     kernel.run("await asyncio.sleep(0)\nprint('thinking')\n2 * half").await
/// })?;
/// assert_eq!(outcome.repr.as_deref(), Some("42"));
/// assert_eq!(outcome.stdout, "thinking\n");
/// kernel.shutdown();
/// # Ok(())
/// # }
/// ```
#[derive(Clone)]
pub struct Kernel {
    shared: Arc<Shared>,
}

struct Shared {
    home: Arc<Home>,
    /// The `Server` of `cells.py`.
    server: Py<PyAny>,
    interrupts: Arc<Interrupts>,
    output_limit: AtomicUsize,
    /// It was told to stop, or has stopped.
    stopped: Arc<AtomicBool>,
    thread: Mutex<Option<JoinHandle<()>>>,
}

/// Why there is no kernel.
#[derive(Debug)]
#[non_exhaustive]
pub enum KernelError {
    /// CPython did not start.
    Python(StartError),
    /// The system gave no thread.
    Thread(io::Error),
    /// asyncio could not be set up; the text is Python's.
    Loop(String),
}

static RUNNING: Mutex<Option<Kernel>> = Mutex::new(None);

/// How many cells there were. A later kernel counts on, as functions of earlier cells live on in `__main__`,
/// and their tracebacks name the cell.
static CELLS: AtomicU64 = AtomicU64::new(0);

thread_local! {
    /// Whether this is a kernel's thread, or one of its loop's executor.
    static IS_KERNELS: std::cell::Cell<bool> = const { std::cell::Cell::new(false) };
}

impl Kernel {
    /// Starts CPython (unless it runs) and the kernel's thread. While a kernel runs, this gives that one;
    /// after its [shutdown](Self::shutdown), or when its loop broke, a new one, whose globals are still those of
    /// `__main__`.
    ///
    /// Works on any thread, with or without the GIL, and blocks until the kernel is ready; whoever comes while
    /// it's being started waits for it too.
    ///
    /// # Errors
    /// [`KernelError`], when there is no Python, no thread or no event loop to be had.
    pub fn start() -> Result<Self, KernelError> {
        // The new thread needs the GIL.
        without_gil(Self::start_thread)
    }

    fn start_thread() -> Result<Self, KernelError> {
        let mut running = running();
        if let Some(kernel) = running.as_ref().filter(|kernel| !kernel.shared.is_stopped()) {
            return Ok(kernel.clone());
        }
        let (sender, receiver) = mpsc::channel();
        let stopped = Arc::new(AtomicBool::new(false));
        let guard = StoppedAtEnd(stopped.clone());
        let thread = thread::Builder::new()
            .name("ferry-python".to_owned())
            .stack_size(STACK)
            .spawn(move || serve(&sender, guard))
            .map_err(KernelError::Thread)?;
        let Served { home, server, interrupts } =
            receiver.recv().unwrap_or_else(|_| Err(KernelError::Loop("its thread panicked".to_owned())))?;
        let shared = Shared {
            home,
            server,
            interrupts,
            output_limit: AtomicUsize::new(OUTPUT_LIMIT),
            stopped,
            thread: Mutex::new(Some(thread)),
        };
        let kernel = Self { shared: Arc::new(shared) };
        *running = Some(kernel.clone());
        Ok(kernel)
    }

    /// Starts a cell: Python code, whose top level may `await`. Like a notebook, it gives the value of its
    /// last line if that is an expression. Works on any thread, and needs no GIL.
    ///
    /// In tracebacks the cell is named `<cell 1>`, `<cell 2>`, and so on. How many run at once is up to you:
    /// there is no bound. After a [shutdown](Self::shutdown) it ends with [`CellErrorKind::KernelGone`].
    pub fn run(&self, code: impl Into<String>) -> Cell {
        let number = CELLS.fetch_add(1, Ordering::Relaxed) + 1;
        let limit = self.shared.output_limit.load(Ordering::Relaxed);
        Cell::start(&self.shared, number, code.into(), limit)
    }

    /// Sets how many bytes the next cells may print each, and how long the representation of a value may
    /// be; 16 MiB if never set. What goes beyond is cut off, with a note that says so.
    pub fn set_output_limit(&self, bytes: usize) {
        self.shared.output_limit.store(bytes, Ordering::Relaxed);
    }

    /// Where the kernel's loop gets its mail: to [start coroutines](crate::start_awaitable) on it.
    pub fn home(&self) -> &Arc<Home> {
        &self.shared.home
    }

    /// Cancels all cells and tasks, waits until their `finally` blocks ran and the threads of
    /// `asyncio.to_thread` are done, and ends the loop and its thread. Cells that come later end at once with
    /// [`CellErrorKind::KernelGone`]. Python itself stays.
    ///
    /// Whoever calls this, and however many at once: when it returns, the kernel is gone. The exception are the
    /// kernel's own threads, its loop's and those of `asyncio.to_thread`: as the kernel waits for these, there
    /// this only asks it to end.
    ///
    /// A cell that never awaits can't be cancelled, and one may refuse to be: this waits until they end, so
    /// [interrupt](CellControl::interrupt) them, before or meanwhile. And don't call it on a thread that a cell
    /// joins, which would wait for each other.
    pub fn shutdown(&self) {
        self.shared.stopped.store(true, Ordering::Release);
        let shared = self.shared.clone();
        self.shared.home.run(move |py, _| shared.server.bind(py).call_method0(intern!(py, "stop")).map(drop));
        if !IS_KERNELS.get() {
            without_gil(|| self.shared.join());
        }
    }
}

impl Shared {
    fn is_stopped(&self) -> bool {
        self.stopped.load(Ordering::Acquire)
    }

    /// Waits until the thread is gone. Who comes second waits for the lock, and so for the first.
    fn join(&self) {
        let mut thread = self.thread.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(thread) = thread.take() {
            // If it panicked, it's gone too, and the panic was shown.
            let _ = thread.join();
        }
    }
}

/// What the kernel's thread made.
struct Served {
    home: Arc<Home>,
    server: Py<PyAny>,
    interrupts: Arc<Interrupts>,
}

/// Tells that the kernel's thread has ended, in whichever way.
struct StoppedAtEnd(Arc<AtomicBool>);

impl Drop for StoppedAtEnd {
    fn drop(&mut self) {
        self.0.store(true, Ordering::Release);
    }
}

/// The kernel's thread, from its start to its end.
fn serve(started: &mpsc::Sender<Result<Served, KernelError>>, stopped: StoppedAtEnd) {
    enter_thread();
    if let Err(error) = interpreter::ensure_started() {
        let _ = started.send(Err(KernelError::Python(error)));
        return;
    }
    Python::attach(|py| match prepare(py) {
        Ok(served) => {
            let server = served.server.clone_ref(py).into_bound(py);
            let _ = started.send(Ok(served));
            let served = server.call_method0(intern!(py, "serve"));
            // Before any cell can tell that the kernel is gone: who hears that can start a new one.
            drop(stopped);
            let closed = server.call_method0(intern!(py, "close"));
            for error in [served, closed].into_iter().filter_map(Result::err) {
                error.write_unraisable(py, None);
            }
            // The loop is closed: cells that are still in the mail end now.
            home::sweep(py);
        }
        Err(error) => drop(started.send(Err(KernelError::Loop(error.to_string())))),
    });
}

fn prepare(py: Python<'_>) -> PyResult<Served> {
    // Once: later kernels go on with what this keeps, such as the sources of cells.
    static FUNCTIONS: PyOnceLock<Py<PyModule>> = PyOnceLock::new();
    let functions = FUNCTIONS.get_or_try_init(py, || {
        PyModule::from_code(py, SOURCE, c"<ferry kernel>", c"_ferry_kernel").map(Bound::unbind)
    })?;
    let functions = functions.bind(py);
    let interrupts = Arc::new(Interrupts::of_this_thread(&functions.getattr(intern!(py, "run"))?)?);
    let enter_thread = wrap_pyfunction!(enter_thread, py)?;
    let server = functions.call_method1(intern!(py, "Server"), (enter_thread,))?;
    let event_loop = server.getattr(intern!(py, "loop"))?;
    let call_soon = event_loop.getattr(intern!(py, "call_soon"))?.unbind();
    event_loop.setattr(intern!(py, "call_soon"), Shielded::new(interrupts.clone(), call_soon))?;
    Ok(Served { home: Home::of(&event_loop)?, server: server.unbind(), interrupts })
}

/// Marks this thread as one that the kernel waits for when it ends.
#[pyfunction]
fn enter_thread() {
    IS_KERNELS.set(true);
}

/// The part of the kernel that is best said in Python.
const SOURCE: &std::ffi::CStr = crate::glue::source!("cells.py");

/// Runs `wait` with the GIL released, if this thread has it.
fn without_gil<T: Send>(wait: impl FnOnce() -> T + Send) -> T {
    // SAFETY: both may be called at any time; the second reads this thread's own state.
    let has_gil = unsafe { ffi::Py_IsInitialized() != 0 && ffi::PyGILState_Check() != 0 };
    if has_gil { Python::attach(|py| py.detach(wait)) } else { wait() }
}

fn running() -> MutexGuard<'static, Option<Kernel>> {
    RUNNING.lock().unwrap_or_else(PoisonError::into_inner)
}

impl fmt::Debug for Kernel {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Kernel").field("stopped", &self.shared.is_stopped()).finish_non_exhaustive()
    }
}

impl fmt::Display for KernelError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Python(error) => error.fmt(f),
            Self::Thread(error) => write!(f, "the system gives no thread for Python: {error}"),
            Self::Loop(error) => write!(f, "asyncio could not be set up: {error}"),
        }
    }
}

impl std::error::Error for KernelError {}
