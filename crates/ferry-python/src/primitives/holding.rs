//! What a lock, a semaphore and a condition have in common: `acquire()`, and `async with`.

use crate::operation::{Arity, Begun, Operation, add_method, yes};
use pyo3::{PyClass, prelude::*, pyclass::boolean_struct::True};
use std::{ffi::CStr, future::Future, marker::PhantomData};

/// A primitive that is taken and let go.
pub(super) trait Holdable: PyClass<Frozen = True> + Sync + 'static {
    /// `Lock.acquire`, and so on.
    const ACQUIRE: &'static str;
    const ENTER: &'static str;
    const EXIT: &'static str;
    /// Of `acquire()`.
    const DOC: &'static CStr;

    /// Takes it at once, if nobody has to be waited for.
    fn take(&self, py: Python<'_>) -> PyResult<bool>;

    /// Waits in line for it.
    fn taking(&self, py: Python<'_>) -> PyResult<impl Future<Output = ()> + Send + 'static + use<Self>>;

    fn let_go(&self, py: Python<'_>) -> PyResult<()>;
}

/// Gives the class of `T` its methods.
pub(super) fn complete<T: Holdable>(py: Python<'_>) -> PyResult<()> {
    let class = py.get_type::<T>();
    add_method::<Acquire<T>>(&class)?;
    add_method::<Enter<T>>(&class)?;
    add_method::<Exit<T>>(&class)
}

struct Acquire<T>(PhantomData<T>);

impl<T: Holdable> Operation for Acquire<T> {
    type Owner = T;
    const METHOD: &'static CStr = c"acquire";
    const NAME: &'static str = T::ACQUIRE;
    const DOC: &'static CStr = <T as Holdable>::DOC;

    fn begin<'py>(owner: &Bound<'py, T>, _: Option<Bound<'py, PyAny>>) -> PyResult<Begun<'py>> {
        let (py, this) = (owner.py(), owner.get());
        if this.take(py)? {
            return Ok(Begun::yes(py));
        }
        Ok(Begun::waits(this.taking(py)?, |py, ()| Ok(yes(py).unbind())))
    }
}

struct Enter<T>(PhantomData<T>);

impl<T: Holdable> Operation for Enter<T> {
    type Owner = T;
    const METHOD: &'static CStr = c"__aenter__";
    const NAME: &'static str = T::ENTER;
    const DOC: &'static CStr = c"__aenter__($self, /)\n--\n\n";

    fn begin<'py>(owner: &Bound<'py, T>, _: Option<Bound<'py, PyAny>>) -> PyResult<Begun<'py>> {
        let (py, this) = (owner.py(), owner.get());
        if this.take(py)? {
            return Ok(Begun::none(py));
        }
        Ok(Begun::waits(this.taking(py)?, |py, ()| Ok(py.None())))
    }
}

struct Exit<T>(PhantomData<T>);

impl<T: Holdable> Operation for Exit<T> {
    type Owner = T;
    const METHOD: &'static CStr = c"__aexit__";
    const NAME: &'static str = T::EXIT;
    const DOC: &'static CStr = c"__aexit__($self, exc_type, exc, tb, /)\n--\n\n";
    const ARITY: Arity = Arity::Exit;

    fn begin<'py>(owner: &Bound<'py, T>, _: Option<Bound<'py, PyAny>>) -> PyResult<Begun<'py>> {
        owner.get().let_go(owner.py())?;
        Ok(Begun::none(owner.py()))
    }
}
