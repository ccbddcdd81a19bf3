//! [`Cell`]: a piece of Python code on the kernel's loop, and how it ends.

use super::{
    Shared,
    control::{CellControl, TaskStage},
    output::{Output, OutputStream, Sink, Stream},
    steps::Steps,
};
use crate::source::Once;
use asyncferry::{Future, Promise, State, promise};
use pyo3::{
    exceptions::{PyBaseException, PySystemExit, asyncio::CancelledError},
    intern,
    prelude::*,
    types::PyString,
};
use std::{
    error::Error,
    fmt,
    pin::Pin,
    sync::Arc,
    task::{Context, Poll},
};

/// A running cell. Await it for its outcome.
///
/// Dropping it cancels the cell, as nobody can have its outcome then; [`detach`](Self::detach) lets it run. A
/// cell that never awaits doesn't notice that: where it may be such a one, take its [`control`](Self::control)
/// before, to interrupt it.
///
/// ```
/// use asyncferry::AsyncRuntime;
/// use asyncferry_python::kernel::{CellErrorKind, Kernel};
///
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let kernel = Kernel::start()?;
/// AsyncRuntime::block_on(async {
///     let cell = kernel.run("import asyncio\nprint('waiting')\nawait asyncio.Event().wait()");
///     let chunk = cell.output().next().await.expect("it prints something");
///     assert_eq!(chunk.text, "waiting\n");
///     cell.cancel("that was long enough");
///     let error = cell.await.unwrap_err();
///     assert_eq!(error.kind, CellErrorKind::Cancelled);
///     assert!(error.message.ends_with("CancelledError: that was long enough"));
/// });
/// kernel.shutdown();
/// # Ok(())
/// # }
/// ```
///
/// # Cancel safety
/// Dropping it cancels the cell; keep it and await it again to go on waiting.
///
/// # Panics
/// When it's polled again after it gave its outcome.
#[must_use = "dropping it cancels the cell; let it run with `detach`"]
pub struct Cell {
    ended: Future<Once<Ended>>,
    output: Arc<Output>,
    control: CellControl,
    detached: bool,
}

type Ended = Result<CellOutcome, CellError>;

/// What a cell gave.
#[derive(Debug)]
pub struct CellOutcome {
    /// The value of the last line, if that is an expression and not None. Drop it on any thread.
    pub value: Option<Py<PyAny>>,
    /// Its representation, as Python's `repr` gives it. Here and in all texts of cells, what is no Unicode
    /// (a lone surrogate) is replaced by U+FFFD.
    pub repr: Option<String>,
    /// All that it printed.
    pub stdout: String,
    /// All that it printed to `sys.stderr`.
    pub stderr: String,
}

/// How a cell failed.
#[derive(Debug)]
pub struct CellError {
    /// In which way.
    pub kind: CellErrorKind,
    /// The exception in one line, as the last line of a traceback: `ValueError: no such thing`.
    pub message: String,
    /// The traceback as Python shows it, from the cell's own frame on, with its lines of source, as far as
    /// these are among the last 1000 cells. For a syntax error, the place and the remark.
    pub traceback: String,
    /// The exception itself, except when the kernel was gone. Its traceback begins in the cell too.
    pub exception: Option<Py<PyBaseException>>,
    /// All that it printed.
    pub stdout: String,
    /// All that it printed to `sys.stderr`.
    pub stderr: String,
}

/// In which way a cell failed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum CellErrorKind {
    /// It's no Python, and nothing of it was run.
    Syntax,
    /// It raised an exception.
    Raised,
    /// It called `sys.exit`, or raised `SystemExit` otherwise.
    Exit,
    /// It was cancelled.
    Cancelled,
    /// It was [interrupted](CellControl::interrupt), and let KeyboardInterrupt out.
    Interrupted,
    /// The kernel ended before the cell began, or, when its loop was broken, before the cell ended.
    KernelGone,
}

impl Cell {
    pub(super) fn start(kernel: &Arc<Shared>, number: u64, code: String, limit: usize) -> Self {
        let (promise, ended) = promise();
        let output = Arc::new(Output::new(limit));
        let control = CellControl::new(kernel.home.clone(), kernel.interrupts.clone(), number);
        kernel.interrupts.expect(number);
        let finish = Finish { promise, output: output.clone(), cell: control.clone() };
        let kernel_there = kernel.clone();
        // If the loop is gone, the errand is dropped, and with it the promise; the output is closed then.
        kernel.home.run(move |py, _| begin(py, &kernel_there, &code, finish));
        Self { ended, output, control, detached: false }
    }

    /// Its number: tracebacks name it `<cell number>`.
    pub fn number(&self) -> u64 {
        self.control.number()
    }

    /// What it prints, as it comes.
    pub fn output(&self) -> OutputStream {
        OutputStream::new(self.output.clone())
    }

    /// What cancels and interrupts it while it's awaited, or when it was [detached](Self::detach).
    pub fn control(&self) -> CellControl {
        self.control.clone()
    }

    /// Cancels it, at its next await; see [`CellControl::cancel`].
    pub fn cancel(&self, message: &str) {
        self.control.cancel(message);
    }

    /// Raises KeyboardInterrupt in it, also when it never awaits; see [`CellControl::interrupt`].
    ///
    /// # Panics
    /// As [`CellControl::interrupt`].
    pub fn interrupt(&self) {
        self.control.interrupt();
    }

    /// Lets the cell run on when this is dropped.
    pub fn detach(mut self) {
        self.detached = true;
    }
}

impl std::future::Future for Cell {
    type Output = Ended;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Ended> {
        std::task::ready!(self.ended.poll_settled(cx));
        Poll::Ready(match self.ended.get() {
            Some(Ok(ended)) => ended.take().unwrap_or_else(|| panic!("a cell gives its outcome once")),
            _ => Err(CellError::kernel_gone(&self.output)),
        })
    }
}

impl Drop for Cell {
    fn drop(&mut self) {
        if self.ended.state() == State::Pending && !self.detached {
            self.cancel("its handle was dropped");
        }
    }
}

/// Starts the cell's task, at home.
fn begin(py: Python<'_>, kernel: &Shared, code: &str, finish: Finish) -> PyResult<()> {
    if kernel.is_stopped() {
        return Ok(());
    }
    let sink = Bound::new(py, Sink::new(finish.output.clone()))?;
    let cell = finish.cell.clone();
    let steps = Bound::new(py, Steps::new(cell.clone()))?;
    let finish = Bound::new(py, finish)?;
    let arguments = (code, format!("<cell {}>", cell.number()), sink, steps, &finish);
    match kernel.server.bind(py).call_method1(intern!(py, "start"), arguments) {
        Ok(task) => drop(cell.task.change(TaskStage::Running(task.unbind()))),
        Err(error) => finish.get().end(Err(finish.get().raised(py, error))),
    }
    Ok(())
}

/// Tells the end of a cell. When it goes without having told one, the kernel is gone: the promise and the
/// output end with it.
#[pyclass(frozen, module = "asyncferry", name = "_Finish")]
struct Finish {
    promise: Promise<Once<Ended>>,
    output: Arc<Output>,
    cell: CellControl,
}

#[pymethods]
impl Finish {
    /// The done-callback of the cell's task.
    fn __call__(&self, task: &Bound<'_, PyAny>) {
        // All that is printed until now is part of the outcome, and nothing else.
        self.output.close();
        let told = task.call_method0(intern!(task.py(), "result")).and_then(|told| self.told(&told));
        self.end(told.unwrap_or_else(|error| Err(self.raised(task.py(), error))));
    }
}

impl Finish {
    fn end(&self, ended: Ended) {
        // An exception that is kept may keep this too, so it doesn't wait for the drop.
        self.close();
        let _ = self.promise.complete(Once::new(ended));
    }

    fn close(&self) {
        self.output.close();
        self.cell.interrupts.forget(self.cell.number());
        drop(self.cell.task.change(TaskStage::Over));
    }

    /// What `run` in `cells.py` told.
    fn told(&self, told: &Bound<'_, PyAny>) -> PyResult<Ended> {
        let kind = match text(&told.get_item(0)?)?.as_str() {
            "done" => {
                let (value, repr) = (told.get_item(1)?, told.get_item(2)?);
                let repr = if repr.is_none() { None } else { Some(self.output.limited(text(&repr)?)) };
                return Ok(Ok(CellOutcome {
                    value: (!value.is_none()).then(|| value.unbind()),
                    repr,
                    stdout: self.output.text(Stream::Stdout),
                    stderr: self.output.text(Stream::Stderr),
                }));
            }
            "syntax" => CellErrorKind::Syntax,
            "exit" => CellErrorKind::Exit,
            "cancelled" => CellErrorKind::Cancelled,
            "interrupted" => CellErrorKind::Interrupted,
            _ => CellErrorKind::Raised,
        };
        let exception = told.get_item(1)?.cast_into::<PyBaseException>()?.unbind();
        let (message, traceback) = (text(&told.get_item(2)?)?, text(&told.get_item(3)?)?);
        Ok(Err(self.failed(kind, message, traceback, exception)))
    }

    /// An end that `run` couldn't tell: it was cancelled before it began, or could not be started.
    fn raised(&self, py: Python<'_>, error: PyErr) -> CellError {
        let kind = if error.is_instance_of::<CancelledError>(py) {
            CellErrorKind::Cancelled
        } else if error.is_instance_of::<PySystemExit>(py) {
            CellErrorKind::Exit
        } else {
            CellErrorKind::Raised
        };
        self.failed(kind, error.to_string(), String::new(), error.into_value(py))
    }

    fn failed(
        &self,
        kind: CellErrorKind,
        message: String,
        traceback: String,
        exception: Py<PyBaseException>,
    ) -> CellError {
        CellError {
            kind,
            message: self.output.limited(message),
            traceback: self.output.limited(traceback),
            exception: Some(exception),
            stdout: self.output.text(Stream::Stdout),
            stderr: self.output.text(Stream::Stderr),
        }
    }
}

impl Drop for Finish {
    fn drop(&mut self) {
        self.close();
    }
}

/// Python's text, with what is no Unicode (a lone surrogate) replaced.
fn text(text: &Bound<'_, PyAny>) -> PyResult<String> {
    Ok(text.cast::<PyString>()?.to_string_lossy().into_owned())
}

impl CellError {
    fn kernel_gone(output: &Output) -> Self {
        Self {
            kind: CellErrorKind::KernelGone,
            message: "the kernel was gone before the cell ended; start a new one with Kernel::start"
                .to_owned(),
            traceback: String::new(),
            exception: None,
            stdout: output.text(Stream::Stdout),
            stderr: output.text(Stream::Stderr),
        }
    }
}

/// The traceback, or where there is none, the one line.
impl fmt::Display for CellError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(if self.traceback.is_empty() { &self.message } else { self.traceback.trim_end() })
    }
}

impl Error for CellError {}
