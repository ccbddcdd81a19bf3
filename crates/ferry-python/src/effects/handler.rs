//! Handlers: what answers effects. Those of users are functions of `(effect, k)`; those of the state, the environment and
//! the log answer in Rust, without a continuation.

use super::{
    attributes::Attributes,
    continuation::K,
    effect::{Ask, Get, Modify, Put, Tell},
    glue,
    grave::Link,
    kind::{Kind, as_a},
    program::{self, Handled, node},
};
use crate::calling;
use pyo3::{
    PyTraverseError, PyVisit,
    exceptions::PyTypeError,
    intern,
    prelude::*,
    sync::PyOnceLock,
    types::{PyDict, PyFrozenSet, PyList, PyString, PyTuple},
};

/// A handler, where it's installed.
pub(super) enum Handler {
    User(Py<Function>),
    State {
        store: Py<PyDict>,
        is_isolated: bool,
    },
    Reader(Py<PyAny>),
    /// Some values over those of the environment.
    Local(Py<PyAny>),
    Writer(Py<PyList>),
    /// Collects effects of some types that go by.
    Listen {
        types: Py<PyTuple>,
        collected: Py<PyList>,
        whose: Whose,
    },
    /// Answers Await on a loop of another thread where the run has none.
    Awaits,
}

/// Whether a handler stands in the task that has installed it.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Whose {
    Own,
    /// A task that was spawned inside of it has it too.
    Spawner,
}

/// What a handler does with an effect.
pub(super) enum Answer<'py> {
    /// It's not for this one.
    Passes,
    Value(Bound<'py, PyAny>),
    Error(PyErr),
    /// It's a function that takes the continuation.
    Takes,
    /// It's to be awaited on another thread.
    Elsewhere,
}

impl Handler {
    pub(super) fn clone_ref(&self, py: Python<'_>) -> Self {
        match self {
            Self::User(function) => Self::User(function.clone_ref(py)),
            Self::State { store, is_isolated } => {
                Self::State { store: store.clone_ref(py), is_isolated: *is_isolated }
            }
            Self::Reader(env) => Self::Reader(env.clone_ref(py)),
            Self::Local(env) => Self::Local(env.clone_ref(py)),
            Self::Writer(log) => Self::Writer(log.clone_ref(py)),
            Self::Listen { types, collected, whose } => {
                Self::Listen { types: types.clone_ref(py), collected: collected.clone_ref(py), whose: *whose }
            }
            Self::Awaits => Self::Awaits,
        }
    }

    /// What answers `effect`, of this `kind`.
    #[inline]
    pub(super) fn consider<'py>(&self, effect: &Bound<'py, PyAny>, kind: Kind) -> Answer<'py> {
        let py = effect.py();
        match self {
            Self::User(function) => match function.get().takes(effect) {
                Ok(true) => Answer::Takes,
                Ok(false) => Answer::Passes,
                Err(error) => Answer::Error(error),
            },
            Self::State { store, .. } => answer_state(store.bind(py), effect, kind),
            Self::Reader(env) | Self::Local(env) if kind == Kind::Ask => {
                self.answer_ask(env.bind(py), as_a::<Ask>(effect))
            }
            Self::Writer(log) => match kind {
                Kind::Tell => {
                    let told = log.bind(py).append(&as_a::<Tell>(effect).get().message);
                    told.map_or_else(Answer::Error, |()| Answer::Value(py.None().into_bound(py)))
                }
                Kind::WriterLog => {
                    let log = log.bind(py);
                    Answer::Value(log.get_slice(0, log.len()).into_any())
                }
                _ => Answer::Passes,
            },
            Self::Listen { types, collected, .. } => {
                let listened = effect
                    .is_instance(types.bind(py))
                    .and_then(|is_one| if is_one { collected.bind(py).append(effect) } else { Ok(()) });
                listened.map_or_else(Answer::Error, |()| Answer::Passes)
            }
            Self::Awaits if kind == Kind::Await => Answer::Elsewhere,
            Self::Reader(_) | Self::Local(_) | Self::Awaits => Answer::Passes,
        }
    }

    fn answer_ask<'py>(&self, env: &Bound<'py, PyAny>, ask: &Bound<'py, Ask>) -> Answer<'py> {
        let py = env.py();
        // SAFETY: it's a copy that `glue::mapping` made.
        let env = unsafe { env.cast_unchecked::<PyDict>() };
        match env.get_item(&ask.get().key) {
            Ok(Some(value)) => Answer::Value(value),
            Ok(None) if matches!(self, Self::Local(_)) => Answer::Passes,
            Ok(None) => {
                let class = glue::get(py, "MissingEnvKeyError");
                let error = class.and_then(|class| class.call1((&ask.get().key, env.keys())));
                Answer::Error(error.map_or_else(|error| error, PyErr::from_value))
            }
            Err(error) => Answer::Error(error),
        }
    }

    /// The same, for tasks that are spawned in it.
    pub(super) fn inherited(&self, py: Python<'_>) -> Self {
        let mut handler = self.clone_ref(py);
        if let Self::Listen { whose, .. } = &mut handler {
            *whose = Whose::Spawner;
        }
        handler
    }

    /// The handler of one task that is spawned in it.
    pub(super) fn for_child(&self, py: Python<'_>) -> PyResult<Self> {
        Ok(match self {
            Self::State { store, is_isolated: true } => {
                Self::State { store: store.bind(py).copy()?.unbind(), is_isolated: true }
            }
            other => other.clone_ref(py),
        })
    }

    pub(super) fn is_isolating(&self) -> bool {
        matches!(self, Self::State { is_isolated: true, .. })
    }

    /// What a program gives that ends in it.
    pub(super) fn leave<'py>(&self, value: Bound<'py, PyAny>) -> PyResult<Bound<'py, PyAny>> {
        let py = value.py();
        match self {
            Self::Listen { collected, whose: Whose::Own, .. } => {
                Ok(PyTuple::new(py, [value, collected.bind(py).clone().into_any()])?.into_any())
            }
            _ => Ok(value),
        }
    }

    pub(super) fn name(&self, py: Python<'_>) -> String {
        match self {
            Self::User(function) => glue::name_of(function.get().function.bind(py)),
            Self::State { .. } => "state()".to_owned(),
            Self::Reader(_) => "reader()".to_owned(),
            Self::Local(_) => "Local()".to_owned(),
            Self::Writer(_) => "writer".to_owned(),
            Self::Listen { .. } => "Listen()".to_owned(),
            Self::Awaits => "await_handler()".to_owned(),
        }
    }

    pub(super) fn traverse(&self, visit: &PyVisit<'_>) -> Result<(), PyTraverseError> {
        match self {
            Self::User(function) => visit.call(function),
            Self::State { store, .. } => visit.call(store),
            Self::Reader(env) | Self::Local(env) => visit.call(env),
            Self::Writer(log) => visit.call(log),
            Self::Listen { types, collected, .. } => {
                visit.call(types)?;
                visit.call(collected)
            }
            Self::Awaits => Ok(()),
        }
    }
}

#[inline]
fn answer_state<'py>(store: &Bound<'py, PyDict>, effect: &Bound<'py, PyAny>, kind: Kind) -> Answer<'py> {
    let py = store.py();
    let none = || py.None().into_bound(py);
    let answered = match kind {
        Kind::Get => store.get_item(&as_a::<Get>(effect).get().key).map(|value| value.unwrap_or_else(none)),
        Kind::Put => {
            let put = as_a::<Put>(effect).get();
            store.set_item(&put.key, &put.value).map(|()| none())
        }
        Kind::Modify => modify(store, as_a::<Modify>(effect).get()),
        _ => return Answer::Passes,
    };
    answered.map_or_else(Answer::Error, Answer::Value)
}

fn modify<'py>(store: &Bound<'py, PyDict>, modify: &Modify) -> PyResult<Bound<'py, PyAny>> {
    let py = store.py();
    let old = store.get_item(&modify.key)?.unwrap_or_else(|| py.None().into_bound(py));
    let new = calling::call_with(modify.function.bind(py), &old)?;
    store.set_item(&modify.key, &new)?;
    Ok(new)
}

/// A handler of a user: a function of `(effect, k)`, with what is known of it.
#[pyclass(frozen, module = "asyncferry.effects", name = "_HandlerFunction")]
pub(super) struct Function {
    function: Py<PyAny>,
    /// The classes of effects that it takes; all, if none are named.
    takes: Option<Py<PyTuple>>,
    is_generator: bool,
    ends: Ends,
}

/// Which of its yields are the last thing that it does.
enum Ends {
    Never,
    Always,
    /// Those at these offsets of its code.
    At(Py<PyFrozenSet>),
}

/// What a call of a handler gives.
pub(super) enum Called<'py> {
    Generator(Bound<'py, PyAny>),
    Result(Bound<'py, PyAny>),
}

impl Function {
    pub(super) fn new(function: &Bound<'_, PyAny>) -> PyResult<Self> {
        let py = function.py();
        let known = glue::call(py, "check_handler", (function,))?;
        let (takes, is_generator, ends, offsets): (
            Option<Bound<'_, PyTuple>>,
            bool,
            u8,
            Bound<'_, PyFrozenSet>,
        ) = known.extract()?;
        let ends = match ends {
            0 => Ends::Never,
            1 => Ends::Always,
            _ => Ends::At(offsets.unbind()),
        };
        Ok(Self { function: function.clone().unbind(), takes: takes.map(Bound::unbind), is_generator, ends })
    }

    #[inline]
    fn takes(&self, effect: &Bound<'_, PyAny>) -> PyResult<bool> {
        let Some(takes) = &self.takes else { return Ok(true) };
        let takes = takes.bind(effect.py());
        let class = effect.get_type_ptr();
        if takes.iter_borrowed().any(|taken| std::ptr::eq(taken.as_ptr().cast(), class)) {
            return Ok(true);
        }
        effect.is_instance(takes)
    }

    #[inline]
    pub(super) fn call<'py>(&self, effect: &Bound<'py, PyAny>, k: &Bound<'py, K>) -> PyResult<Called<'py>> {
        let called = calling::call_with_two(self.function.bind(effect.py()), effect, k.as_any())?;
        if self.is_generator {
            return Ok(Called::Generator(called));
        }
        Ok(Called::Result(called))
    }

    /// Whether the yield that `generator` stands at is the last thing that it does.
    pub(super) fn ends_here(&self, generator: &Bound<'_, PyAny>) -> PyResult<bool> {
        let py = generator.py();
        match &self.ends {
            Ends::Never => Ok(false),
            Ends::Always => Ok(true),
            Ends::At(offsets) => {
                let frame = generator.getattr(intern!(py, "gi_frame"))?;
                offsets.bind(py).contains(frame.getattr(intern!(py, "f_lasti"))?)
            }
        }
    }
}

#[pymethods]
impl Function {
    fn __traverse__(&self, visit: PyVisit<'_>) -> Result<(), PyTraverseError> {
        visit.call(&self.function)?;
        if let Some(takes) = &self.takes {
            visit.call(takes)?;
        }
        if let Ends::At(offsets) = &self.ends { visit.call(offsets) } else { Ok(()) }
    }
}

/// A handler that is not installed yet: called with a program, it gives the program inside of the handler.
#[pyclass(frozen, weakref, module = "asyncferry.effects", name = "Handler")]
pub(super) struct Installer {
    recipe: Recipe,
    name: String,
    attributes: Attributes,
}

enum Recipe {
    /// This handler, each time.
    Same(Handler),
    /// A log of its own, each time.
    Writer,
    /// Several, the outermost first.
    Stacked(Py<PyTuple>),
}

impl Installer {
    fn new(py: Python<'_>, recipe: Recipe, name: String) -> Self {
        Self { recipe, name, attributes: Attributes::new(py) }
    }
}

#[pymethods]
impl Installer {
    /// The program inside of this handler.
    #[pyo3(signature = (program, /))]
    fn __call__<'py>(&self, program: Bound<'py, PyAny>) -> PyResult<Bound<'py, PyAny>> {
        let py = program.py();
        program::expect(&format!("the handler {} takes a program", self.name), &program)?;
        let handler = match &self.recipe {
            Recipe::Same(handler) => handler.clone_ref(py),
            Recipe::Writer => Handler::Writer(PyList::empty(py).unbind()),
            Recipe::Stacked(installers) => {
                let mut handled = program;
                for installer in installers.bind(py).iter().rev() {
                    handled = installer.call1((handled,))?;
                }
                return Ok(handled);
            }
        };
        let body = Link::new(program.unbind());
        Ok(Bound::new(py, node(Handled { handler, body }))?.into_any())
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

    fn __repr__(&self) -> String {
        format!("<handler {}>", self.name)
    }

    fn __traverse__(&self, visit: PyVisit<'_>) -> Result<(), PyTraverseError> {
        self.attributes.traverse(&visit)?;
        match &self.recipe {
            Recipe::Same(handler) => handler.traverse(&visit),
            Recipe::Writer => Ok(()),
            Recipe::Stacked(installers) => visit.call(installers),
        }
    }
}

/// Makes a function of (effect, k) a handler: called with a program, that gives the program inside of it.
///
/// The handler is asked for the effects that its first parameter is annotated with, or for all. It yields Resume,
/// Transfer, ResumeThrow, TransferThrow or Pass, or effects and programs, which the handlers further out answer. What it
/// returns is the result of the program in it. Without `yield`, it returns what it would have yielded.
#[pyfunction]
#[pyo3(signature = (function, /))]
pub(super) fn handler<'py>(function: &Bound<'py, PyAny>) -> PyResult<Bound<'py, Installer>> {
    static UPDATE: PyOnceLock<Py<PyAny>> = PyOnceLock::new();
    let py = function.py();
    if let Ok(made) = function.cast::<Installer>() {
        return Ok(made.clone());
    }
    // What `@do` has made of it is more than is asked for here.
    let function = match function.cast::<super::function::DoFunction>() {
        Ok(done) => done.getattr(intern!(py, "__wrapped__"))?,
        Err(_) => function.clone(),
    };
    let handler = Handler::User(Py::new(py, Function::new(&function)?)?);
    let made = Bound::new(py, Installer::new(py, Recipe::Same(handler), glue::name_of(&function)))?;
    UPDATE.import(py, "functools", "update_wrapper")?.call1((&made, &function))?;
    Ok(made)
}

/// A handler of Get, Put and Modify, which begins with these values. It keeps them: a program that is run in it later
/// finds what an earlier one has put.
///
/// Tasks that are spawned in it share the state; if it's `isolated`, each begins with a copy, which nobody else sees.
#[pyfunction]
#[pyo3(signature = (initial = None, *, isolated = false))]
pub(super) fn state<'py>(
    py: Python<'py>,
    initial: Option<Bound<'py, PyAny>>,
    isolated: bool,
) -> PyResult<Bound<'py, Installer>> {
    let store = copy_of("state()", py, initial)?.unbind();
    installer(py, Handler::State { store, is_isolated: isolated }, "state()")
}

/// A handler of Ask, which answers with these values.
#[pyfunction]
#[pyo3(signature = (env = None))]
pub(super) fn reader<'py>(
    py: Python<'py>,
    env: Option<Bound<'py, PyAny>>,
) -> PyResult<Bound<'py, Installer>> {
    let env = copy_of("reader()", py, env)?.into_any().unbind();
    installer(py, Handler::Reader(env), "reader()")
}

/// A handler of Await, on an event loop of a thread of its own, for `run`, which has no loop. In `async_run` it does
/// nothing.
#[pyfunction]
pub(super) fn await_handler(py: Python<'_>) -> PyResult<Bound<'_, Installer>> {
    installer(py, Handler::Awaits, "await_handler()")
}

/// One handler of several, the outermost first.
#[pyfunction]
#[pyo3(signature = (*handlers))]
pub(super) fn stacked_handlers<'py>(handlers: Bound<'py, PyTuple>) -> PyResult<Bound<'py, Installer>> {
    let py = handlers.py();
    for handler in handlers.iter() {
        expect_handler("stacked_handlers()", &handler)?;
    }
    let names: Vec<_> = handlers.iter().map(|handler| glue::name_of(&handler)).collect();
    let name = format!("stacked_handlers({})", names.join(", "));
    Bound::new(py, Installer::new(py, Recipe::Stacked(handlers.unbind()), name))
}

/// The program inside of these handlers, the outermost first.
#[pyfunction]
#[pyo3(signature = (handlers, program, /))]
pub(super) fn with_handlers<'py>(
    handlers: &Bound<'py, PyAny>,
    program: Bound<'py, PyAny>,
) -> PyResult<Bound<'py, PyAny>> {
    let handlers: Vec<_> = handlers.try_iter()?.collect::<PyResult<_>>()?;
    let handlers = stacked_handlers(PyTuple::new(program.py(), handlers)?)?;
    handlers.get().__call__(program)
}

fn expect_handler(what: &str, handler: &Bound<'_, PyAny>) -> PyResult<()> {
    if handler.is_instance_of::<Installer>() {
        return Ok(());
    }
    let class = glue::class_name(handler);
    Err(PyTypeError::new_err(format!(
        "{what} takes handlers, not {class}: put @handler on a function of (effect, k)"
    )))
}

/// The handler `writer`, which is installed as it is: `writer(program)`.
pub(super) fn writer(py: Python<'_>) -> PyResult<Bound<'_, Installer>> {
    Bound::new(py, Installer::new(py, Recipe::Writer, "writer".to_owned()))
}

fn installer<'py>(py: Python<'py>, handler: Handler, name: &str) -> PyResult<Bound<'py, Installer>> {
    Bound::new(py, Installer::new(py, Recipe::Same(handler), name.to_owned()))
}

fn copy_of<'py>(
    what: &str,
    py: Python<'py>,
    values: Option<Bound<'py, PyAny>>,
) -> PyResult<Bound<'py, PyDict>> {
    match values.filter(|values| !values.is_none()) {
        Some(values) => Ok(glue::mapping(what, &values)?.cast_into()?),
        None => Ok(PyDict::new(py)),
    }
}
