//! The module `asyncferry`, as Python sees it.

#[cfg(feature = "embed")]
use crate::package;
use crate::{
    activity::{check_cancelled, report_progress},
    artifact::Artifact,
    as_completed::as_completed,
    context::{current_context, empty_context},
    digest::digest_file,
    effects,
    expose::future_to_awaitable,
    failure::{FerryError, PanicError},
    foreign::{Callback, Foreign},
    gather::{OnError, gather as gather_awaitables},
    glue,
    job::Job,
    map::map,
    names,
    pool::{BeatClock, JobMetrics, LatentRef, Pool, PoolFull, PoolShutDown, Retry, default_pool},
    primitives,
    race::race,
    registry::{register_from_python, register_from_rust},
    settings::configure,
    source::Work,
    submit::submit,
    timer,
    wait::{ALL_COMPLETED, FIRST_COMPLETED, FIRST_EXCEPTION, wait},
};
use ::asyncferry::promise;
use pyo3::{exceptions::PyImportError, ffi, prelude::*, types::PyTuple};

/// Waits until all are done, and gives the list of their results, in the order given.
///
/// As asyncio.gather, but awaitables of Ferry are counted down in Rust, so that the event loop is woken once.
/// Takes coroutines, tasks and futures too. The first error is raised at once, and the others go on; with
/// return_exceptions, errors stand in the list.
#[pyfunction]
#[pyo3(signature = (*aws, return_exceptions = false))]
fn gather<'py>(aws: &Bound<'py, PyTuple>, return_exceptions: bool) -> PyResult<Bound<'py, Job>> {
    let on_error = if return_exceptions { OnError::Return } else { OnError::Raise };
    gather_awaitables(aws.py(), aws.iter().collect(), on_error)
}

/// Waits for so many seconds, on Rust's clock, or on that of the loop if it's virtual. Infinity never ends.
#[pyfunction]
fn sleep(py: Python<'_>, seconds: f64) -> PyResult<Bound<'_, Job>> {
    let time = timer::duration("sleep", seconds)?;
    if let Some(home) = timer::virtual_home(py)? {
        let (promise, slept) = promise::<()>();
        let timer = timer::on_loop(py, home, time, move || {
            // Settled already: nobody waits any more.
            let _ = promise.complete(());
        })?;
        return Job::of(py, None, Work::new(slept, Some(timer)), None);
    }
    future_to_awaitable(py, async move {
        ::asyncferry::sleep(time).await;
        Ok::<(), PyErr>(())
    })
}

/// Puts all that the Python module `asyncferry` has into `module`: what an extension module of another name does
/// to carry the bridge with it.
///
/// # Errors
/// `ImportError` in a subinterpreter; and when Python has no memory left.
pub fn fill_module(module: &Bound<'_, PyModule>) -> PyResult<()> {
    let py = module.py();
    refuse_subinterpreters(py)?;
    prepare(py)?;
    module.add("__version__", env!("CARGO_PKG_VERSION"))?;
    module.add_class::<Job>()?;
    module.add_class::<Artifact>()?;
    module.add("FerryError", py.get_type::<FerryError>())?;
    module.add("PanicError", py.get_type::<PanicError>())?;
    module.add("State", names::state_class(py)?)?;
    for constant in [ALL_COMPLETED, FIRST_COMPLETED, FIRST_EXCEPTION] {
        module.add(constant, constant)?;
    }
    primitives::add_to(module)?;
    effects::add_to(module)?;
    module.add_class::<Foreign>()?;
    module.add_class::<Callback>()?;
    module.add_class::<Pool>()?;
    module.add_class::<Retry>()?;
    module.add_class::<LatentRef>()?;
    module.add_class::<BeatClock>()?;
    module.add_class::<JobMetrics>()?;
    module.add("PoolFull", py.get_type::<PoolFull>())?;
    module.add("PoolShutDown", py.get_type::<PoolShutDown>())?;
    module.add_function(wrap_pyfunction!(default_pool, module)?)?;
    module.add_function(wrap_pyfunction!(submit, module)?)?;
    module.add_function(wrap_pyfunction!(register_from_python, module)?)?;
    module.add_function(wrap_pyfunction!(register_from_rust, module)?)?;
    module.add_function(wrap_pyfunction!(configure, module)?)?;
    module.add_function(wrap_pyfunction!(report_progress, module)?)?;
    module.add_function(wrap_pyfunction!(check_cancelled, module)?)?;
    module.add_function(wrap_pyfunction!(gather, module)?)?;
    module.add_function(wrap_pyfunction!(wait, module)?)?;
    module.add_function(wrap_pyfunction!(race, module)?)?;
    module.add_function(wrap_pyfunction!(as_completed, module)?)?;
    module.add_function(wrap_pyfunction!(map, module)?)?;
    module.add_function(wrap_pyfunction!(sleep, module)?)?;
    module.add_function(wrap_pyfunction!(digest_file, module)?)
}

/// Imports what each job needs of Python's library. The first job may be another thread's, in the middle of which this
/// process forks or Python ends.
fn prepare(py: Python<'_>) -> PyResult<()> {
    glue::get(py, "place_of")?;
    names::running_loop(py)?;
    names::is_awaitable(py.None().bind(py))?;
    names::is_cancelled_error(names::cancelled_error(py, None).value(py))?;
    names::short_repr(py.None().bind(py))?;
    current_context(py)?;
    empty_context(py).map(drop)
}

/// The bridge keeps Python objects of one interpreter. CPython asks a module whether it has more than one only where
/// that has a GIL of its own, and PyO3 asks only modules that are not imported in the usual way.
fn refuse_subinterpreters(py: Python<'_>) -> PyResult<()> {
    /// That of the first one, which runs `__main__`.
    const MAIN: i64 = 0;
    // SAFETY: the thread is attached (`py`), so it has an interpreter, which these only read.
    let here = unsafe { ffi::PyInterpreterState_GetID(ffi::PyInterpreterState_Get()) };
    match here {
        MAIN => Ok(()),
        ..MAIN => Err(PyErr::fetch(py)),
        _ => Err(PyImportError::new_err(
            "asyncferry can't be imported in a subinterpreter: import it in the main interpreter",
        )),
    }
}

/// Makes `import asyncferry` work in an embedded interpreter. Call it once, before the interpreter starts.
///
/// # Panics
/// When an interpreter runs already.
#[cfg(feature = "embed")]
pub fn append_to_inittab() {
    pyo3::append_to_inittab!(asyncferry);
}

/// Rust work as Python awaitables, on any event loop.
// It says that it uses the GIL: the bridge was not tested on builds of Python without one.
#[cfg(feature = "embed")]
#[pymodule(gil_used = true)]
fn asyncferry(module: &Bound<'_, PyModule>) -> PyResult<()> {
    fill_module(module)?;
    package::complete(module)
}
