//! [`DoFunction`]: what `@do` makes of a function.

use super::{
    attributes::Attributes,
    glue,
    program::{Call, node},
};
use pyo3::{
    PyTraverseError, PyVisit, intern,
    prelude::*,
    sync::PyOnceLock,
    types::{PyDict, PyString, PyTuple},
};

/// A function whose calls are programs. Nothing of it runs before the program does.
#[pyclass(frozen, weakref, module = "asyncferry.effects")]
pub(super) struct DoFunction {
    function: Py<PyAny>,
    is_generator: bool,
    attributes: Attributes,
}

/// Makes a generator function one whose calls are programs: what it yields are effects and programs, whose values it is
/// sent, and what it returns is the program's value. Without `yield` the call is a program too.
#[pyfunction(name = "do")]
#[pyo3(signature = (function, /))]
pub(super) fn make_do<'py>(function: &Bound<'py, PyAny>) -> PyResult<Bound<'py, DoFunction>> {
    static UPDATE: PyOnceLock<Py<PyAny>> = PyOnceLock::new();
    let py = function.py();
    if let Ok(done) = function.cast::<DoFunction>() {
        return Ok(done.clone());
    }
    let is_generator = glue::call(py, "check_do", (function,))?.is_truthy()?;
    let attributes = Attributes::new(py);
    let made = Bound::new(py, DoFunction { function: function.clone().unbind(), is_generator, attributes })?;
    UPDATE.import(py, "functools", "update_wrapper")?.call1((&made, function))?;
    Ok(made)
}

#[pymethods]
impl DoFunction {
    #[pyo3(signature = (*args, **kwargs))]
    fn __call__<'py>(
        &self,
        args: Bound<'py, PyTuple>,
        kwargs: Option<Bound<'py, PyDict>>,
    ) -> PyResult<Bound<'py, Call>> {
        let py = args.py();
        let call = Call {
            function: self.function.clone_ref(py),
            arguments: args.unbind(),
            keywords: kwargs.map(Bound::unbind),
            is_generator: self.is_generator,
        };
        Bound::new(py, node(call))
    }

    fn __get__<'py>(
        slf: Bound<'py, Self>,
        object: Option<Bound<'py, PyAny>>,
        owner: Option<Bound<'py, PyAny>>,
    ) -> PyResult<Bound<'py, PyAny>> {
        static METHOD: PyOnceLock<Py<PyAny>> = PyOnceLock::new();
        let _ = owner;
        match object {
            Some(object) => METHOD.import(slf.py(), "types", "MethodType")?.call1((slf, object)),
            None => Ok(slf.into_any()),
        }
    }

    fn __getattribute__<'py>(
        slf: &Bound<'py, Self>,
        name: Bound<'py, PyString>,
    ) -> PyResult<Bound<'py, PyAny>> {
        slf.get().attributes.get(slf, &name)
    }

    fn __setattr__(&self, name: Bound<'_, PyString>, value: Bound<'_, PyAny>) -> PyResult<()> {
        self.attributes.set(&name, value)
    }

    fn __delattr__(&self, name: Bound<'_, PyString>) -> PyResult<()> {
        self.attributes.delete(&name)
    }

    fn __repr__(&self, py: Python<'_>) -> String {
        format!("<@do function {}>", glue::name_of(self.function.bind(py)))
    }

    fn __reduce__<'py>(slf: &Bound<'py, Self>) -> PyResult<Bound<'py, PyAny>> {
        // As plain functions are: by the name that it's found under.
        slf.getattr(intern!(slf.py(), "__qualname__"))
    }

    fn __traverse__(&self, visit: PyVisit<'_>) -> Result<(), PyTraverseError> {
        self.attributes.traverse(&visit)?;
        visit.call(&self.function)
    }
}
