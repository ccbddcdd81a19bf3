//! Values that cross languages: Python's own objects as [`Value`]s, and back.
//!
//! | Python | [`Value`] |
//! |---|---|
//! | `None`, `bool`, `int` of 64 bits, `float`, `str` | the same |
//! | `bytes`, `bytearray`, `memoryview` | bytes; they come back as `bytes` |
//! | `list`, `tuple` | a list; it comes back as a `list` |
//! | `dict` with texts as keys | a map, in the same order |
//! | `Event`, `Lock`, `Semaphore`, `Queue.named(…)` | the object itself, which other languages have too |
//! | `Callback`, `Foreign` | the function or object of another language that it is |
//! | [`Artifact`] | a map of its id, content_hash and tags |
//!
//! Each may be of a subclass. Anything else is a `TypeError` that says where it is.

use crate::{artifact::Artifact, foreign, names};
use asyncferry::{Value, ValueLimits};
use pyo3::{
    IntoPyObjectExt,
    exceptions::{PyOverflowError, PyTypeError, PyValueError},
    prelude::*,
    types::{PyBool, PyByteArray, PyBytes, PyDict, PyFloat, PyInt, PyList, PyMemoryView, PyString, PyTuple},
};
use std::fmt::Write;

/// The value of `object`.
///
/// # Errors
/// `TypeError`, `OverflowError` or `ValueError`, which say where it is: `at [2].name`.
pub(crate) fn to_value(object: &Bound<'_, PyAny>, limits: &ValueLimits) -> PyResult<Value> {
    Reader { limits, size: 0, path: Vec::new() }.read(object)
}

/// The arguments of a call: those by position, or those by name.
///
/// # Errors
/// `TypeError` when there are both, and as [`to_value`].
pub(crate) fn arguments(
    args: &Bound<'_, PyTuple>,
    kwargs: Option<&Bound<'_, PyDict>>,
    limits: &ValueLimits,
) -> PyResult<Value> {
    match kwargs.filter(|kwargs| !kwargs.is_empty()) {
        None => to_value(args, limits),
        Some(kwargs) if args.is_empty() => to_value(kwargs, limits),
        Some(_) => Err(PyTypeError::new_err(
            "a job that is not Python's own takes its arguments by position or by name, not both at once",
        )),
    }
}

/// The object that `value` is in Python.
pub(crate) fn to_python<'py>(py: Python<'py>, value: &Value) -> PyResult<Bound<'py, PyAny>> {
    match value {
        Value::Null => Ok(py.None().into_bound(py)),
        Value::Bool(value) => value.into_bound_py_any(py),
        Value::Int(value) => value.into_bound_py_any(py),
        Value::Float(value) => value.into_bound_py_any(py),
        Value::String(text) => text.into_bound_py_any(py),
        Value::Bytes(bytes) => Ok(PyBytes::new(py, bytes).into_any()),
        Value::List(values) => {
            let list = PyList::empty(py);
            values.iter().try_for_each(|value| list.append(to_python(py, value)?))?;
            Ok(list.into_any())
        }
        Value::Foreign(object) => foreign::to_python(py, object),
        Value::Map(values) => {
            let dict = PyDict::new(py);
            values.iter().try_for_each(|(name, value)| dict.set_item(name, to_python(py, value)?))?;
            Ok(dict.into_any())
        }
    }
}

/// A value of Rust's that Python awaits.
#[derive(Clone)]
pub(crate) struct Crossing(pub(crate) Value);

impl<'py> IntoPyObject<'py> for Crossing {
    type Target = PyAny;
    type Output = Bound<'py, PyAny>;
    type Error = PyErr;

    fn into_pyobject(self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        to_python(py, &self.0)
    }
}

struct Reader<'a> {
    limits: &'a ValueLimits,
    size: usize,
    path: Vec<Step>,
}

/// A step on the way to a value.
enum Step {
    Place(usize),
    Name(String),
}

/// What each value counts, beside its content, as Rust's own.
const EACH: usize = 32;

impl Reader<'_> {
    fn read(&mut self, object: &Bound<'_, PyAny>) -> PyResult<Value> {
        if object.is_none() {
            return self.plain(Value::Null, 0);
        }
        if let Ok(value) = object.cast::<PyBool>() {
            return self.plain(Value::Bool(value.is_true()), 0);
        }
        if object.is_instance_of::<PyInt>() {
            let value = object.extract::<i64>().map_err(|_| self.too_big(object))?;
            return self.plain(Value::Int(value), 0);
        }
        if let Ok(value) = object.cast::<PyFloat>() {
            return self.plain(Value::Float(value.extract()?), 0);
        }
        if let Ok(text) = object.cast::<PyString>() {
            let text = text.to_cow().map_err(|_| {
                self.error(
                    "a text with half of a surrogate pair can't cross languages",
                    PyValueError::new_err,
                )
            })?;
            self.count(text.len())?;
            return Ok(Value::String(text.into_owned()));
        }
        if let Some(bytes) = self.bytes(object)? {
            return Ok(bytes);
        }
        if object.is_instance_of::<PyList>() || object.is_instance_of::<PyTuple>() {
            return self.list(object);
        }
        if let Ok(dict) = object.cast::<PyDict>() {
            return self.map(dict);
        }
        if let Ok(artifact) = object.cast::<Artifact>() {
            return self.artifact(artifact.get());
        }
        if let Some(shared) = foreign::of_python(object) {
            return self.plain(Value::Foreign(shared), 0);
        }
        let class = object.get_type().name()?;
        Err(self.error(
            &format!("an object of type '{class}' can't cross languages: {}", names::short_repr(object)?),
            PyTypeError::new_err,
        ))
    }

    fn artifact(&mut self, artifact: &Artifact) -> PyResult<Value> {
        let info = artifact.info();
        self.enter()?;
        let mut text = |text: &str| self.plain(Value::from(text), text.len());
        let (id, hash) = (text(&info.id)?, text(&info.content_hash)?);
        let tags = info.tags.iter().map(|tag| text(tag)).collect::<PyResult<Vec<_>>>()?;
        if !tags.is_empty() {
            self.path.push(Step::Name("tags".to_owned()));
            self.enter()?;
            self.path.pop();
        }
        Ok(Value::from_iter([("id", id), ("content_hash", hash), ("tags", Value::List(tags))]))
    }

    fn bytes(&mut self, object: &Bound<'_, PyAny>) -> PyResult<Option<Value>> {
        let bytes = if let Ok(bytes) = object.cast::<PyBytes>() {
            bytes.as_bytes().to_vec()
        } else if let Ok(bytes) = object.cast::<PyByteArray>() {
            bytes.to_vec()
        } else if object.is_instance_of::<PyMemoryView>() {
            let plain = object.call_method0("tobytes")?;
            plain.cast::<PyBytes>()?.as_bytes().to_vec()
        } else {
            return Ok(None);
        };
        self.count(bytes.len())?;
        Ok(Some(Value::Bytes(bytes)))
    }

    fn list(&mut self, list: &Bound<'_, PyAny>) -> PyResult<Value> {
        self.enter()?;
        let mut values = Vec::new();
        // One after another, as what is read may change the list.
        for (place, item) in list.try_iter()?.enumerate() {
            values.push(self.within(Step::Place(place), &item?)?);
        }
        Ok(Value::List(values))
    }

    fn map(&mut self, dict: &Bound<'_, PyDict>) -> PyResult<Value> {
        self.enter()?;
        let mut values = Vec::new();
        for item in dict.items().iter() {
            let (key, value) = item.extract::<(Bound<'_, PyAny>, Bound<'_, PyAny>)>()?;
            let Ok(name) =
                key.cast::<PyString>().map_err(PyErr::from).and_then(|key| key.extract::<String>())
            else {
                let key = names::short_repr(&key)?.to_string();
                return Err(self.error(&format!("a key must be a text, not {key}"), PyTypeError::new_err));
            };
            self.size = self.size.saturating_add(name.len());
            let value = self.within(Step::Name(name.clone()), &value)?;
            values.push((name, value));
        }
        Ok(values.into_iter().collect())
    }

    fn enter(&mut self) -> PyResult<()> {
        self.count(0)?;
        if self.path.len() < self.limits.depth {
            return Ok(());
        }
        let reason = format!(
            "it's too deep: at most {} lists and maps may lie within each other, and one that contains itself has \
             no end",
            self.limits.depth
        );
        Err(self.error(&reason, PyValueError::new_err))
    }

    fn within(&mut self, step: Step, object: &Bound<'_, PyAny>) -> PyResult<Value> {
        self.path.push(step);
        let value = self.read(object)?;
        self.path.pop();
        Ok(value)
    }

    fn plain(&mut self, value: Value, content: usize) -> PyResult<Value> {
        self.count(content)?;
        Ok(value)
    }

    fn count(&mut self, content: usize) -> PyResult<()> {
        self.size = self.size.saturating_add(EACH).saturating_add(content);
        if self.size <= self.limits.size {
            return Ok(());
        }
        let reason = format!("it's too large: it may take at most {} bytes in all", self.limits.size);
        Err(self.error(&reason, PyValueError::new_err))
    }

    fn too_big(&self, number: &Bound<'_, PyAny>) -> PyErr {
        let shown =
            names::short_repr(number).map_or_else(|_| "a huge number".to_owned(), |text| text.to_string());
        let reason = format!("{shown} is too large: whole numbers go from {} to {}", i64::MIN, i64::MAX);
        self.error(&reason, PyOverflowError::new_err)
    }

    fn error(&self, reason: &str, kind: fn(String) -> PyErr) -> PyErr {
        if self.path.is_empty() {
            return kind(reason.to_owned());
        }
        let mut text = "at ".to_owned();
        // Of a deep way only the beginning says something.
        const SHOWN: usize = 16;
        for step in self.path.iter().take(SHOWN) {
            let _ = match step {
                Step::Place(place) => write!(text, "[{place}]"),
                Step::Name(name) => write!(text, ".{name}"),
            };
        }
        let more = if self.path.len() > SHOWN { "…" } else { "" };
        kind(format!("{text}{more}: {reason}"))
    }
}
