//! Ctrl-C in a program that awaits at its top level.
//!
//! `asyncio.run` answers the first one by cancelling the main task, which only comes to pass where the program
//! awaits next. A top level that computes, or walks a tree, would go on for as long as that takes. So:
//!
//! | the first Ctrl-C finds | what happens |
//! |---|---|
//! | the top level running | KeyboardInterrupt, right there, as in a program that doesn't await |
//! | it waiting, or another task running | the main task is cancelled, and ends as a KeyboardInterrupt |
//!
//! A second one raises KeyboardInterrupt wherever it finds the program. The handler is no Python code, so it
//! stands in no traceback.

use pyo3::{
    exceptions::PyKeyboardInterrupt,
    intern,
    prelude::*,
    types::{PyCFunction, PyTuple},
};
use std::sync::{
    Arc,
    atomic::{AtomicBool, Ordering},
};

/// The handler of SIGINT while a program runs.
pub(super) struct Handler {
    /// `None` where the program's surroundings handle SIGINT in a way of their own: that stays.
    installed: Option<Arc<Watched>>,
}

struct Watched {
    runner: Py<PyAny>,
    coroutine: Py<PyAny>,
    /// The main task was cancelled because of a Ctrl-C.
    cancelled: AtomicBool,
}

impl Handler {
    /// Handles SIGINT for `coroutine`, which `runner` is about to run.
    pub(super) fn install(runner: &Bound<'_, PyAny>, coroutine: &Bound<'_, PyAny>) -> PyResult<Self> {
        let py = runner.py();
        let signal = py.import("signal")?;
        let number = signal.getattr("SIGINT")?;
        if !signal.call_method1("getsignal", (&number,))?.is(&signal.getattr("default_int_handler")?) {
            return Ok(Self { installed: None });
        }
        let watched = Arc::new(Watched {
            runner: runner.clone().unbind(),
            coroutine: coroutine.clone().unbind(),
            cancelled: AtomicBool::new(false),
        });
        let handling = watched.clone();
        let handler = PyCFunction::new_closure(py, None, None, move |arguments: &Bound<'_, PyTuple>, _| {
            handling.interrupted(arguments.py())
        })?;
        signal.call_method1("signal", (number, handler))?;
        Ok(Self { installed: Some(watched) })
    }

    /// Gives SIGINT its usual handler back. Whether the program was cancelled because of a Ctrl-C.
    pub(super) fn remove(self, py: Python<'_>) -> PyResult<bool> {
        let Some(watched) = self.installed else { return Ok(false) };
        let signal = py.import("signal")?;
        let usual = signal.getattr("default_int_handler")?;
        signal.call_method1("signal", (signal.getattr("SIGINT")?, usual))?;
        Ok(watched.cancelled.load(Ordering::Relaxed))
    }
}

impl Watched {
    fn interrupted(&self, py: Python<'_>) -> PyResult<()> {
        let asyncio = py.import(intern!(py, "asyncio"))?;
        let event_loop = self.runner.bind(py).call_method0(intern!(py, "get_loop"))?;
        let running = asyncio.call_method1(intern!(py, "current_task"), (&event_loop,))?;
        if self.is_main(&running)? || self.cancelled.swap(true, Ordering::Relaxed) {
            return Err(PyKeyboardInterrupt::new_err(()));
        }
        for task in asyncio.call_method1(intern!(py, "all_tasks"), (&event_loop,))?.try_iter()? {
            let task = task?;
            if self.is_main(&task)? {
                task.call_method0(intern!(py, "cancel"))?;
                // The loop may wait for I/O: anything to do wakes it.
                let nothing = py.import(intern!(py, "builtins"))?.getattr(intern!(py, "int"))?;
                event_loop.call_method1(intern!(py, "call_soon_threadsafe"), (nothing,))?;
                return Ok(());
            }
        }
        // It has ended, and what is left is to close the loop.
        Err(PyKeyboardInterrupt::new_err(()))
    }

    fn is_main(&self, task: &Bound<'_, PyAny>) -> PyResult<bool> {
        if task.is_none() {
            return Ok(false);
        }
        Ok(task.call_method0(intern!(task.py(), "get_coro"))?.is(&self.coroutine))
    }
}
