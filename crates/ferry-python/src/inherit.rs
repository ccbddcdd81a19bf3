//! What work inherits when it crosses: Python's `contextvars` and Rust's task-locals, each carried by the other.
//!
//! | crossing | inherits |
//! |---|---|
//! | Python awaits Rust work | the work's task-locals are those that the caller's context carries, and one more: a copy of that context |
//! | that work spawns tasks | they inherit its task-locals, so the context as well |
//! | Rust starts a coroutine | its task begins with a copy of the context that the task-locals have, which carries these |
//!
//! A context in which nothing is set is not carried, so programs without `contextvars` pay a look at its size.

use crate::context::current_context;
use asyncferry::{TaskLocal, TaskLocals};
use pyo3::{intern, prelude::*, sync::PyOnceLock};
use std::sync::Arc;

/// The context of the Python code that a Rust task descends from. Never entered itself, only copied.
static CONTEXT: TaskLocal<Arc<Py<PyAny>>> = TaskLocal::new();

/// The task-locals of Rust work that the code of this thread starts.
pub(crate) fn for_rust(py: Python<'_>) -> PyResult<TaskLocals> {
    let context = current_context(py)?;
    let known = match context.bind(py).len()? {
        0 => return Ok(TaskLocals::current()),
        _ => context.bind(py).call_method1(intern!(py, "get"), (variable(py)?,))?,
    };
    let locals = known.cast::<Locals>().map_or_else(|_| TaskLocals::current(), |known| known.get().0.clone());
    Ok(locals.enter(|| {
        CONTEXT.set(Arc::new(context));
        TaskLocals::current()
    }))
}

/// The context of a coroutine that a Rust task with these task-locals starts; `None`: an empty one, or the caller's.
pub(crate) fn for_python(py: Python<'_>, locals: &TaskLocals) -> PyResult<Option<Py<PyAny>>> {
    if locals.is_empty() {
        return Ok(None);
    }
    let context = match locals.clone().enter(|| CONTEXT.get()) {
        Some(context) => context.bind(py).call_method0(intern!(py, "copy"))?,
        None => current_context(py)?.into_bound(py),
    };
    // Without the context, which would keep the one before it, and that one the one before.
    let carried = locals.clone().enter(|| {
        CONTEXT.unset();
        TaskLocals::current()
    });
    let set = variable(py)?.getattr(intern!(py, "set"))?;
    context.call_method1(intern!(py, "run"), (set, Bound::new(py, Locals(carried))?))?;
    Ok(Some(context.unbind()))
}

/// The value of the context variable that carries task-locals.
#[pyclass(frozen, module = "asyncferry", name = "_TaskLocals")]
struct Locals(TaskLocals);

fn variable(py: Python<'_>) -> PyResult<&Bound<'_, PyAny>> {
    static VARIABLE: PyOnceLock<Py<PyAny>> = PyOnceLock::new();
    let make = || {
        let class = py.import("contextvars")?.getattr("ContextVar")?;
        Ok::<_, PyErr>(class.call1(("asyncferry.task_locals",))?.unbind())
    };
    Ok(VARIABLE.get_or_try_init(py, make)?.bind(py))
}
