//! [`Tasks`]: how a loop makes its tasks, found out once for each loop.

use crate::{calling, gil_cell::GilCell, trio};
use pyo3::{
    intern,
    prelude::*,
    sync::PyOnceLock,
    types::{PyDict, PyTuple},
};

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
    /// Here and now: for what is started in a drain, or a turn of a run, outside of any task and of any caller's code. One
    /// that never waits costs no turn of the loop. Before Python 3.12 only loops written in Python can do so.
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
        let class = TASK.import(py, "asyncio", "Task")?;
        match turn {
            Turn::This if has_eager_start(py) => {
                keywords.set_item(intern!(py, "eager_start"), true)?;
                calling::call(class, (coroutine,), Some(&keywords))
            }
            Turn::This => start_now(class, event_loop, coroutine, &keywords),
            Turn::Next => calling::call(class, (coroutine,), Some(&keywords)),
        }
    }
}

fn has_eager_start(py: Python<'_>) -> bool {
    static HAS: PyOnceLock<bool> = PyOnceLock::new();
    *HAS.get_or_init(py, || py.version_info() >= (3, 12))
}

/// A task whose first step is made here, where its class can't do that: it asks its loop to call the step soon, and is
/// heard by an attribute of the loop that hides the method meanwhile. A loop that takes none has it make the step at its
/// next turn.
fn start_now<'py>(
    class: &Bound<'py, PyAny>,
    event_loop: &Bound<'py, PyAny>,
    coroutine: Bound<'py, PyAny>,
    keywords: &Bound<'py, PyDict>,
) -> PyResult<Bound<'py, PyAny>> {
    let py = event_loop.py();
    let name = intern!(py, "call_soon");
    let heard = Bound::new(py, Heard::new(event_loop.getattr(name)?.unbind()))?;
    if event_loop.setattr(name, &heard).is_err() {
        return calling::call(class, (coroutine,), Some(keywords));
    }
    let task = calling::call(class, (coroutine,), Some(keywords));
    event_loop.delattr(name)?;
    let task = task?;
    match heard.get().step.with(py, Option::take) {
        Some(Step { step, context }) => {
            let ran = calling::call_method(context.bind(py), intern!(py, "run"), (step,));
            // Only a wish to stop comes out of a step, and the task has it too.
            ran.map(|_| task)
        }
        None => Ok(task),
    }
}

/// Stands for a loop's `call_soon` while a task is made.
#[pyclass(frozen, module = "asyncferry", name = "_Heard")]
struct Heard {
    call_soon: Py<PyAny>,
    step: GilCell<Option<Step>>,
}

struct Step {
    step: Py<PyAny>,
    context: Py<PyAny>,
}

impl Heard {
    fn new(call_soon: Py<PyAny>) -> Self {
        Self { call_soon, step: GilCell::of(None) }
    }
}

#[pymethods]
impl Heard {
    #[pyo3(signature = (callback, *args, context = None))]
    fn __call__<'py>(
        &self,
        callback: Bound<'py, PyAny>,
        args: &Bound<'py, PyTuple>,
        context: Option<Bound<'py, PyAny>>,
    ) -> PyResult<Bound<'py, PyAny>> {
        let py = callback.py();
        // Only the first call can be the task's: Python code may run while it's made, a signal handler for one.
        let is_first = args.is_empty() && self.step.with(py, |step| step.is_none());
        match context {
            Some(context) if is_first => {
                let step = Step { step: callback.unbind(), context: context.unbind() };
                self.step.with(py, |heard| *heard = Some(step));
                Ok(py.None().into_bound(py))
            }
            context => {
                let mut arguments = vec![callback];
                arguments.extend(args.iter());
                let keywords = PyDict::new(py);
                if let Some(context) = context {
                    keywords.set_item(intern!(py, "context"), context)?;
                }
                calling::call(self.call_soon.bind(py), PyTuple::new(py, arguments)?, Some(&keywords))
            }
        }
    }
}
