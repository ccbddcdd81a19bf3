//! What of effect programs is best said in Python, [`glue.py`](glue.py): exceptions, hints and
//! descriptions.

use crate::{calling, glue::Module};
use pyo3::{exceptions::PyTypeError, intern, prelude::*, sync::PyOnceLock, types::PyType};

static GLUE: Module =
    Module::new(c"<asyncferry, effects>", c"_asyncferry_effects", crate::glue::source!("glue.py"));

/// Calls the function `name` of `glue.py`.
pub(super) fn call<'py>(
    py: Python<'py>,
    name: &str,
    arguments: impl calling::Arguments<'py>,
) -> PyResult<Bound<'py, PyAny>> {
    calling::call(&GLUE.get(py, name)?, arguments, None)
}

/// What `glue.py` calls `name`.
pub(super) fn get<'py>(py: Python<'py>, name: &str) -> PyResult<Bound<'py, PyAny>> {
    GLUE.get(py, name)
}

/// `TaskCancelledError(message)`.
pub(super) fn cancelled(py: Python<'_>, message: Option<&Py<PyAny>>) -> PyErr {
    let class = match cancelled_class(py) {
        Ok(class) => class,
        Err(error) => return error,
    };
    let made = match message {
        Some(message) => class.call1((message,)),
        None => class.call0(),
    };
    made.map_or_else(|error| error, PyErr::from_value)
}

pub(super) fn cancelled_class(py: Python<'_>) -> PyResult<&Bound<'_, PyType>> {
    static CLASS: PyOnceLock<Py<PyType>> = PyOnceLock::new();
    let find = || Ok::<_, PyErr>(get(py, "TaskCancelledError")?.cast_into::<PyType>()?.unbind());
    CLASS.get_or_try_init(py, find).map(|class| class.bind(py))
}

/// `ProgramAbandoned()`.
pub(super) fn abandoned(py: Python<'_>) -> PyErr {
    get(py, "ProgramAbandoned").and_then(|class| class.call0()).map_or_else(|error| error, PyErr::from_value)
}

pub(super) fn is_abandoned(py: Python<'_>, error: &PyErr) -> bool {
    static CLASS: PyOnceLock<Py<PyType>> = PyOnceLock::new();
    let find = || Ok::<_, PyErr>(get(py, "ProgramAbandoned")?.cast_into::<PyType>()?.unbind());
    CLASS.get_or_try_init(py, find).is_ok_and(|class| error.is_instance(py, class.bind(py)))
}

/// An exception of `glue.py`, made by a function of it.
pub(super) fn error<'py>(py: Python<'py>, make: &str, arguments: impl calling::Arguments<'py>) -> PyErr {
    call(py, make, arguments).map_or_else(|error| error, PyErr::from_value)
}

/// How an object is called in a sentence: short, and whatever its own `repr` may do.
pub(super) fn describe(object: &Bound<'_, PyAny>) -> String {
    call(object.py(), "describe", (object,))
        .and_then(|text| text.extract())
        .unwrap_or_else(|_| "?".to_owned())
}

/// The name of a function, a program or a handler.
pub(super) fn name_of(object: &Bound<'_, PyAny>) -> String {
    call(object.py(), "name_of", (object,)).and_then(|text| text.extract()).unwrap_or_else(|_| "?".to_owned())
}

/// "an int".
pub(super) fn class_name(object: &Bound<'_, PyAny>) -> String {
    call(object.py(), "class_name", (object,))
        .and_then(|text| text.extract())
        .unwrap_or_else(|_| "?".to_owned())
}

/// Where a suspended generator stands: "file, line N, in name".
pub(super) fn place_of(generator: &Bound<'_, PyAny>) -> String {
    call(generator.py(), "place_of", (generator,))
        .and_then(|text| text.extract())
        .unwrap_or_else(|_| "?".to_owned())
}

/// Whether a class has an `__init__` of its own.
pub(super) fn has_init(class: &Bound<'_, PyType>) -> PyResult<bool> {
    static OF_OBJECT: PyOnceLock<Py<PyAny>> = PyOnceLock::new();
    let py = class.py();
    let init = class.getattr(intern!(py, "__init__"))?;
    let of_object = OF_OBJECT.get_or_try_init(py, || {
        let object = py.import("builtins")?.getattr("object")?;
        object.getattr("__init__").map(Bound::unbind)
    })?;
    Ok(!init.is(of_object))
}

/// Whether an object is an effect: of the native base, or a frozen dataclass that is nothing else.
pub(super) fn is_effect(object: &Bound<'_, PyAny>) -> PyResult<bool> {
    let kind = super::kind::Kind::of(object);
    if kind != super::kind::Kind::Other {
        return Ok(kind.is_effect());
    }
    if object.is_instance_of::<super::effect::EffectBase>() {
        return Ok(true);
    }
    // A class's attribute: an instance's own of that name would be none of a dataclass.
    let class = object.get_type();
    let Some(parameters) = class.getattr_opt(intern!(object.py(), "__dataclass_params__"))? else {
        return Ok(false);
    };
    parameters.getattr(intern!(object.py(), "frozen"))?.is_truthy()
}

/// `TypeError`, with a hint what to write instead.
pub(super) fn not_a_program(what: &str, object: &Bound<'_, PyAny>) -> PyErr {
    error(object.py(), "not_a_program", (what, object))
}

/// `TypeError`, with a hint what to write instead.
pub(super) fn not_awaitable(object: &Bound<'_, PyAny>) -> PyResult<PyErr> {
    Ok(error(object.py(), "not_awaitable", (object,)))
}

/// A copy of a mapping of the user's, as a dict.
pub(super) fn mapping<'py>(what: &str, object: &Bound<'py, PyAny>) -> PyResult<Bound<'py, PyAny>> {
    let py = object.py();
    if super::program::is_program(object)? || object.is_instance_of::<super::function::DoFunction>() {
        return Err(error(py, "program_for_mapping", (what, object)));
    }
    if object.hasattr(intern!(py, "keys"))? {
        return py.get_type::<pyo3::types::PyDict>().call1((object,));
    }
    Err(PyTypeError::new_err(format!("{what} takes a dict, not {}", class_name(object))))
}

/// How many references to an object there are.
pub(super) fn references<T>(object: &Bound<'_, T>) -> isize {
    // SAFETY: the object is alive, and the thread is attached.
    unsafe { pyo3::ffi::Py_REFCNT(object.as_ptr()) }
}

/// Does something while an object goes, which may be while an exception is on its way. That is laid aside.
pub(super) fn as_it_goes(act: impl FnOnce(Python<'_>)) {
    // Python drops its objects with the GIL. Where it has ended, there's nothing left to do.
    Python::try_attach(|py| {
        let on_its_way = PyErr::take(py);
        if !crate::unseen::is_finalizing(py) {
            act(py);
        }
        if let Some(error) = on_its_way {
            error.restore(py);
        }
    });
}
