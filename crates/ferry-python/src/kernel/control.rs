//! [`CellControl`]: cancels and interrupts a cell, from anywhere.

use super::interrupt::{Answer, Interrupts, Manners};
use crate::home::Home;
use asyncferry::spawn_blocking;
use pyo3::{call::PyCallArgs, intern, prelude::*, types::PyString};
use std::{
    fmt,
    sync::{Arc, Mutex, PoisonError},
    thread,
    time::Duration,
};

/// How often a cell that is in the middle of asyncio's code is given time to come out of it.
const CAREFUL_ATTEMPTS: u32 = 100;
const BETWEEN_ATTEMPTS: Duration = Duration::from_micros(200);

/// Cancels and interrupts a cell while its [`Cell`](super::Cell) is awaited elsewhere. Clones control the same
/// cell. It keeps no cell alive, and dropping it does nothing; when the cell has ended, its methods do nothing.
///
/// ```
/// use asyncferry::{AsyncRuntime, timeout};
/// use asyncferry_python::kernel::{CellErrorKind, Kernel};
/// use std::time::Duration;
///
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let kernel = Kernel::start()?;
/// AsyncRuntime::block_on(async {
///     let cell = kernel.run("while True: pass");
///     let control = cell.control();
///     let mut cell = std::pin::pin!(cell);
///     if timeout(Duration::from_millis(10), cell.as_mut()).await.is_err() {
///         // It never awaits, so it would not notice a cancel.
///         control.interrupt();
///     }
///     assert_eq!(cell.await.unwrap_err().kind, CellErrorKind::Interrupted);
/// });
/// kernel.shutdown();
/// # Ok(())
/// # }
/// ```
#[derive(Clone)]
pub struct CellControl {
    pub(super) interrupts: Arc<Interrupts>,
    pub(super) task: Arc<TaskSlot>,
    home: Arc<Home>,
    number: u64,
}

impl CellControl {
    pub(super) fn new(home: Arc<Home>, interrupts: Arc<Interrupts>, number: u64) -> Self {
        Self { interrupts, task: Arc::default(), home, number }
    }

    /// The number of the cell: tracebacks name it `<cell number>`.
    pub fn number(&self) -> u64 {
        self.number
    }

    /// Cancels the cell: `CancelledError(message)` is raised where it awaits, and its `finally` blocks run. Its
    /// outcome is [`CellErrorKind::Cancelled`](super::CellErrorKind::Cancelled), unless it catches the exception
    /// and goes on. One that has not begun never begins. Works on any thread, and needs no GIL.
    ///
    /// Each call is one request, as that of asyncio's `Task.cancel`: a second one is raised where a `finally`
    /// block awaits. A cell that computes notices it at its next await; see [`interrupt`](Self::interrupt) for
    /// one that never awaits.
    pub fn cancel(&self, message: &str) {
        let (task, message) = (self.task.clone(), message.to_owned());
        self.home.run(move |py, _| task.call(py, intern!(py, "cancel"), (message,)));
    }

    /// Interrupts the cell: `KeyboardInterrupt` is raised in it as Ctrl-C does it in a program, soon and once,
    /// also when it never awaits. Its outcome is
    /// [`CellErrorKind::Interrupted`](super::CellErrorKind::Interrupted), unless it catches the exception and
    /// goes on. Works on any thread, and needs no GIL.
    ///
    /// Where it's raised:
    ///
    /// - in a cell that computes, between two steps of its Python code, in what it calls too, except asyncio's
    ///   own code (unless it stays there for long: 20 ms). If it's a task
    ///   that computes which the cell made (`asyncio.create_task`, `gather`, a task group), then there: the
    ///   task fails with it, and so does who awaits the task;
    /// - in one that waits, where its top level awaits. What it awaits is cancelled;
    /// - in one that has not begun, at its beginning; it's not run.
    ///
    /// It's never raised in another cell, nor in the event loop: an interrupt that comes just when its cell
    /// stops computing is raised when that goes on, and one that comes after the cell's end is forgotten. Two
    /// that come at once may be one. A cell that catches it can be interrupted again.
    ///
    /// What it can't reach is code that isn't Python's: a cell that is inside of such a call (`time.sleep`,
    /// `lock.acquire`, a long regular expression) is interrupted when the call returns. Nor threads (those of
    /// `asyncio.to_thread`, say), callbacks (`loop.call_soon`), and tasks that are made otherwise than by the
    /// event loop's `create_task` (by `asyncferry.submit`, say): while these compute it's as if the cell waited.
    ///
    /// # Panics
    /// When the system refuses the pool its threads: one of them waits for the GIL, not who calls this.
    pub fn interrupt(&self) {
        let this = self.clone();
        drop(spawn_blocking(move || this.interrupt_now()));
    }

    fn interrupt_now(&self) {
        for attempt in 0.. {
            let manners = if attempt < CAREFUL_ATTEMPTS { Manners::Careful } else { Manners::Blunt };
            let answer = Python::try_attach(|py| self.interrupts.interrupt(py, self.number, manners));
            match answer {
                Some(Ok(Answer::Busy)) => thread::sleep(BETWEEN_ATTEMPTS),
                Some(Ok(Answer::Wake)) => return self.wake(),
                // An error can only mean that Python ends.
                Some(Ok(Answer::Done) | Err(_)) | None => return,
            }
        }
    }

    /// Has the top level go on soon, to be interrupted.
    pub(super) fn wake(&self) {
        let this = self.clone();
        self.home.run(move |py, _| {
            if this.interrupts.must_wake(this.number) {
                this.task.call(py, intern!(py, "cancel"), ("the cell is interrupted",))?;
            }
            Ok(())
        });
    }
}

impl fmt::Debug for CellControl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("CellControl").field("number", &self.number).finish_non_exhaustive()
    }
}

/// Where the cell's task is put when it starts.
#[derive(Default)]
pub(super) struct TaskSlot {
    stage: Mutex<TaskStage>,
}

#[derive(Default)]
pub(super) enum TaskStage {
    #[default]
    New,
    Running(Py<PyAny>),
    /// It ended, or was cancelled before it began.
    Over,
}

impl TaskSlot {
    pub(super) fn change(&self, stage: TaskStage) -> TaskStage {
        std::mem::replace(&mut *self.stage.lock().unwrap_or_else(PoisonError::into_inner), stage)
    }

    /// Calls a method of the task, at home. The cell's start is in the same mail and came first, so it has a task
    /// by now, or is over.
    pub(super) fn call<'py>(
        &self,
        py: Python<'py>,
        method: &Bound<'py, PyString>,
        arguments: impl PyCallArgs<'py>,
    ) -> PyResult<()> {
        let task = match &*self.stage.lock().unwrap_or_else(PoisonError::into_inner) {
            TaskStage::Running(task) => task.clone_ref(py),
            TaskStage::New | TaskStage::Over => return Ok(()),
        };
        task.bind(py).call_method1(method, arguments).map(drop)
    }
}
