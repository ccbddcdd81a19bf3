//! [`Tasks`]: how a loop makes its tasks, found out once for each loop.

use crate::{calling, trio};
use pyo3::{intern, prelude::*, sync::PyOnceLock, types::PyDict};

/// The way to make tasks of one loop.
pub(crate) enum Tasks {
    /// By its own `create_task`: a loop of an unknown class may do something there.
    OfLoop,
    /// By the `create_task` of what is no loop of asyncio's, and so runs no task of asyncio's.
    Foreign,
    /// By the class `asyncio.Task`, unless a task factory is set: asyncio's and uvloop's own `create_task` do
    /// no more, in Python code.
    Plain,
}

/// When a task makes its first step.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Turn {
    /// Here and now, from Python 3.12 on: for what is started in a drain, outside of any task and of any caller's
    /// code. One that never waits costs no turn of the loop.
    This,
    /// At the loop's next turn, as `create_task` has it.
    Next,
}

impl Tasks {
    pub(crate) fn of(event_loop: &Bound<'_, PyAny>) -> PyResult<Self> {
        static BASE: PyOnceLock<Py<PyAny>> = PyOnceLock::new();
        let py = event_loop.py();
        let class = event_loop.get_type();
        if class.module()? == trio::MODULE {
            return Ok(Self::Foreign);
        }
        let base = BASE.import(py, "asyncio", "BaseEventLoop")?;
        let makes = class.getattr(intern!(py, "create_task"))?;
        let is_plain = makes.is(&base.getattr(intern!(py, "create_task"))?) || class.module()? == "uvloop";
        Ok(if is_plain { Self::Plain } else { Self::OfLoop })
    }

    /// Whether they are asyncio's tasks, which drive whatever is like a coroutine.
    pub(crate) fn are_asyncio(&self) -> bool {
        !matches!(self, Self::Foreign)
    }

    /// Starts a task `name` of `event_loop` that runs `coroutine`, in `context` if one is given.
    pub(crate) fn start<'py>(
        &self,
        event_loop: &Bound<'py, PyAny>,
        coroutine: Bound<'py, PyAny>,
        name: Bound<'py, PyAny>,
        context: Option<Py<PyAny>>,
        turn: Turn,
    ) -> PyResult<Bound<'py, PyAny>> {
        static TASK: PyOnceLock<Py<PyAny>> = PyOnceLock::new();
        let py = event_loop.py();
        let keywords = PyDict::new(py);
        keywords.set_item(intern!(py, "name"), name)?;
        if let Some(context) = context {
            keywords.set_item(intern!(py, "context"), context)?;
        }
        let has_factory = || {
            Ok::<_, PyErr>(!calling::call_method(event_loop, intern!(py, "get_task_factory"), ())?.is_none())
        };
        if !matches!(self, Self::Plain) || has_factory()? {
            let create = event_loop.getattr(intern!(py, "create_task"))?;
            return calling::call(&create, (coroutine,), Some(&keywords));
        }
        keywords.set_item(intern!(py, "loop"), event_loop)?;
        if turn == Turn::This && py.version_info() >= (3, 12) {
            keywords.set_item(intern!(py, "eager_start"), true)?;
        }
        calling::call(TASK.import(py, "asyncio", "Task")?, (coroutine,), Some(&keywords))
    }
}
