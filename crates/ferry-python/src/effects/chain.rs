//! [`Chain`]: the handlers that a spawned task has from its spawner, shared by all that are spawned there.

use super::{grave::Link, handler::Handler};
use pyo3::{PyTraverseError, PyVisit, prelude::*};

/// The handlers, the innermost first.
pub(super) type Chain = Option<Py<Node>>;

/// A handler, and those outside of it. It's an object of Python's, as many refer to it, and the collector has to see
/// through it once.
#[pyclass(frozen, module = "asyncferry.effects", name = "_Chain")]
pub(super) struct Node {
    pub(super) handler: Handler,
    parent: Option<Link>,
    /// Whether some handler in it gives each task a state of its own.
    is_isolating: bool,
}

#[pymethods]
impl Node {
    fn __traverse__(&self, visit: PyVisit<'_>) -> Result<(), PyTraverseError> {
        self.handler.traverse(&visit)?;
        self.parent.as_ref().map_or(Ok(()), |parent| visit.call(parent.get()))
    }
}

impl Node {
    pub(super) fn parent(&self, py: Python<'_>) -> Chain {
        self.parent.as_ref().map(|parent| {
            // SAFETY: only `extend` makes one, of a chain.
            unsafe { parent.get().bind(py).cast_unchecked::<Self>() }.clone().unbind()
        })
    }
}

pub(super) fn clone(py: Python<'_>, chain: &Chain) -> Chain {
    chain.as_ref().map(|node| node.clone_ref(py))
}

/// `handler` inside of `parent`.
pub(super) fn extend(py: Python<'_>, handler: Handler, parent: Chain) -> PyResult<Py<Node>> {
    let is_isolating = handler.is_isolating() || parent.as_ref().is_some_and(|node| node.get().is_isolating);
    let parent = parent.map(|node| Link::new(node.into_any()));
    Py::new(py, Node { handler, parent, is_isolating })
}

/// The chain of a new task: with copies of the states that are no others' to see.
pub(super) fn for_child(py: Python<'_>, chain: Chain) -> PyResult<Chain> {
    let mut handlers = Vec::new();
    let mut outside = chain;
    while let Some(node) = outside.take_if(|node| node.get().is_isolating) {
        handlers.push(node.get().handler.for_child(py)?);
        outside = node.get().parent(py);
    }
    handlers.into_iter().rev().try_fold(outside, |chain, handler| extend(py, handler, chain).map(Some))
}
