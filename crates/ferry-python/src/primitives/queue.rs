//! `asyncferry.Queue` and `asyncferry.LifoQueue`, and what all queues have in common.

use super::{generic, initialized_again, item::Item, object, priority_queue::Sorted, values::name_error};
use crate::{
    count::Count,
    names,
    operation::{Arity, Begun, BoxedWait, Operation, add_method, waiting_for},
    turn,
};
use asyncferry::{
    Value,
    sync::{GetError, LifoQueue, PutError, Queue, QueueShutDown, QueueWith, Shutdown, Storage, named},
};
use pyo3::{
    PyTraverseError, PyVisit,
    exceptions::PyValueError,
    prelude::*,
    types::{PyDict, PyTuple, PyType},
};
use std::{
    ffi::CStr,
    num::NonZeroUsize,
    sync::{
        Arc, OnceLock,
        atomic::{AtomicBool, Ordering},
    },
};

/// A queue of items, for tasks of any event loop and thread, first in, first out: as asyncio.Queue.
#[pyclass(frozen, subclass, weakref, module = "asyncferry", name = "Queue")]
pub struct PyQueue {
    order: Order,
    /// Made by `__init__`, as a subclass may pass its own arguments to `__new__`.
    queue: OnceLock<Sized>,
    /// Rust has it as well, so the collector can't know who refers to the items.
    is_shared: AtomicBool,
}

/// A Queue that gives the youngest item first: as asyncio.LifoQueue.
#[pyclass(frozen, subclass, extends = PyQueue, module = "asyncferry", name = "LifoQueue")]
pub struct PyLifoQueue;

/// In which order it gives its items.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Order {
    Fifo,
    Lifo,
    Sorted,
}

/// A queue, and its size as it was given: any number below one stands for no limit.
struct Sized {
    kind: Kind,
    maxsize: isize,
}

impl Sized {
    fn new(order: Order, maxsize: isize) -> Self {
        let limit = usize::try_from(maxsize).unwrap_or(0);
        let kind = match order {
            Order::Fifo => Kind::Fifo(Arc::new(Queue::new(limit))),
            Order::Lifo => Kind::Lifo(Arc::new(LifoQueue::new(limit))),
            Order::Sorted => Kind::Sorted(Arc::new(Sorted::new(limit))),
        };
        Self { kind, maxsize }
    }

    /// A queue that Rust has as well.
    fn shared(kind: Kind, maxsize: usize) -> Self {
        Self { kind, maxsize: isize::try_from(maxsize).unwrap_or(isize::MAX) }
    }
}

enum Kind {
    Fifo(Arc<Queue<Item>>),
    Lifo(Arc<LifoQueue<Item>>),
    Sorted(Arc<Sorted>),
    /// Of plain values, which other languages have as well.
    Values(Arc<Queue<Value>>),
}

impl PyQueue {
    /// The Python object for a queue of plain values.
    ///
    /// # Errors
    /// When Python has no memory left.
    pub fn of_values(py: Python<'_>, queue: Arc<Queue<Value>>) -> PyResult<Bound<'_, Self>> {
        let maxsize = queue.maxsize();
        object(py, Self::of_rust(Order::Fifo, Sized::shared(Kind::Values(queue), maxsize)))
    }

    /// The queue itself, if it's one of plain values.
    pub fn shared_values(&self) -> Option<&Arc<Queue<Value>>> {
        if let Kind::Values(queue) = &self.queue().kind { Some(queue) } else { None }
    }

    /// The Python object for a queue of Rust's.
    ///
    /// # Errors
    /// When Python has no memory left.
    pub fn of(py: Python<'_>, queue: Arc<Queue<Item>>) -> PyResult<Bound<'_, Self>> {
        let maxsize = queue.maxsize();
        object(py, Self::of_rust(Order::Fifo, Sized::shared(Kind::Fifo(queue), maxsize)))
    }

    /// The queue itself, for Rust; `None` if it's one that gives its items in another order.
    pub fn shared(&self) -> Option<&Arc<Queue<Item>>> {
        let Kind::Fifo(queue) = &self.queue().kind else { return None };
        self.is_shared.store(true, Ordering::Relaxed);
        Some(queue)
    }

    pub(super) fn ordered(order: Order) -> Self {
        Self { order, queue: OnceLock::new(), is_shared: AtomicBool::new(false) }
    }

    fn of_rust(order: Order, queue: Sized) -> Self {
        Self { order, queue: queue.into(), is_shared: AtomicBool::new(true) }
    }

    fn queue(&self) -> &Sized {
        self.queue.get_or_init(|| Sized::new(self.order, 0))
    }

    fn line(&self) -> &dyn Line {
        match &self.queue().kind {
            Kind::Fifo(queue) => queue,
            Kind::Lifo(queue) => queue,
            Kind::Sorted(queue) => queue,
            Kind::Values(queue) => queue,
        }
    }

    fn described(&self, py: Python<'_>) -> PyResult<String> {
        let line = self.line();
        let mut told = format!("maxsize={}", self.queue().maxsize);
        let items = line.reprs(py)?;
        if !items.is_empty() {
            told += &format!(" _queue=[{}]", items.join(", "));
        }
        let [getters, putters] = line.waiting();
        for (name, count) in
            [("_getters", getters), ("_putters", putters)].into_iter().filter(|(_, n)| *n > 0)
        {
            told += &format!(" {name}[{count}]");
        }
        if line.unfinished() > 0 {
            told += &format!(" tasks={}", line.unfinished());
        }
        if line.is_shut_down() {
            told += " shutdown";
        }
        Ok(told)
    }
}

impl PyLifoQueue {
    /// The Python object for a queue of Rust's.
    ///
    /// # Errors
    /// When Python has no memory left.
    pub fn of(py: Python<'_>, queue: Arc<LifoQueue<Item>>) -> PyResult<Bound<'_, Self>> {
        let maxsize = queue.maxsize();
        let base = PyQueue::of_rust(Order::Lifo, Sized::shared(Kind::Lifo(queue), maxsize));
        object(py, PyClassInitializer::from(base).add_subclass(Self))
    }

    /// The queue itself, for Rust.
    pub fn shared<'a>(slf: &'a Bound<'_, Self>) -> Option<&'a Arc<LifoQueue<Item>>> {
        let base = slf.as_super().get();
        let Kind::Lifo(queue) = &base.queue().kind else { return None };
        base.is_shared.store(true, Ordering::Relaxed);
        Some(queue)
    }
}

#[pymethods]
impl PyQueue {
    #[new]
    #[pyo3(signature = (*args, **kwargs), text_signature = "(maxsize=0)")]
    fn new(args: &Bound<'_, PyTuple>, kwargs: Option<&Bound<'_, PyDict>>) -> Self {
        let _ = (args, kwargs);
        Self::ordered(Order::Fifo)
    }

    #[pyo3(signature = (maxsize = 0))]
    fn __init__(&self, maxsize: isize) -> PyResult<()> {
        let made = Sized::new(self.order, maxsize);
        self.queue.set(made).map_err(|_| initialized_again("Queue"))
    }

    /// The queue of this name, which everybody in the process has, in whichever language: it holds plain values, as those
    /// that jobs take. Whoever asks first says how many it may hold, 1024 if that's left out.
    ///
    /// ValueError if the name is another thing's, or a queue's of another size.
    #[staticmethod]
    #[pyo3(signature = (name, maxsize = None))]
    fn named<'py>(py: Python<'py>, name: &str, maxsize: Option<Count>) -> PyResult<Bound<'py, Self>> {
        let maxsize = maxsize.map(|maxsize| maxsize.get("maxsize")).transpose()?;
        Self::of_values(py, named::queue(name, maxsize.map(NonZeroUsize::get)).map_err(name_error)?)
    }

    /// How many items it may hold; any number, if that's zero or less.
    #[getter]
    fn maxsize(&self) -> isize {
        self.queue().maxsize
    }

    /// How many items are in it.
    fn qsize(&self) -> usize {
        self.line().qsize()
    }

    /// Whether there are no items in it.
    fn empty(&self) -> bool {
        self.line().qsize() == 0
    }

    /// Whether it holds as many items as it may.
    fn full(&self) -> bool {
        self.line().is_full()
    }

    /// Puts an item at once, from any thread. asyncio.QueueFull if there is no room, QueueShutDown if it was shut down.
    fn put_nowait(&self, item: &Bound<'_, PyAny>) -> PyResult<()> {
        self.line().put_nowait(item)?.map_err(|refusal| refusal.into_error(item.py()))
    }

    /// Takes an item at once, from any thread. asyncio.QueueEmpty if there is none, QueueShutDown if there will be none.
    fn get_nowait<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        self.line().get_nowait(py)?.map_err(|refusal| refusal.into_error(py))
    }

    /// Reports that an item which was taken has been worked off: join() waits for that. ValueError if all were already.
    fn task_done(&self, py: Python<'_>) -> PyResult<()> {
        match self.line().task_done(py) {
            true => Ok(()),
            false => Err(PyValueError::new_err("task_done() called too many times")),
        }
    }

    /// Shuts the queue down: no more items come in, and when it's empty, QueueShutDown is raised. With immediate, its items
    /// are dropped, and count as done. Can be called from any thread.
    #[pyo3(signature = (immediate = false))]
    fn shutdown(&self, py: Python<'_>, immediate: bool) -> PyResult<()> {
        self.line().shut_down(py, if immediate { Shutdown::Immediate } else { Shutdown::Drain })
    }

    #[classmethod]
    fn __class_getitem__<'py>(
        class: &Bound<'py, PyType>,
        item: &Bound<'py, PyAny>,
    ) -> PyResult<Bound<'py, PyAny>> {
        generic(class, item)
    }

    fn __repr__(slf: &Bound<'_, Self>) -> PyResult<String> {
        let told = slf.get().described(slf.py())?;
        Ok(format!("<{} at {:#x} {told}>", slf.get_type().name()?, slf.as_ptr().addr()))
    }

    fn __str__(slf: &Bound<'_, Self>) -> PyResult<String> {
        let told = slf.get().described(slf.py())?;
        Ok(format!("<{} {told}>", slf.get_type().name()?))
    }

    fn __traverse__(&self, visit: PyVisit<'_>) -> Result<(), PyTraverseError> {
        if self.is_shared.load(Ordering::Relaxed) { Ok(()) } else { self.line().traverse(&visit) }
    }

    fn __clear__(&self) {
        if !self.is_shared.load(Ordering::Relaxed) {
            self.line().clear();
        }
    }
}

#[pymethods]
impl PyLifoQueue {
    #[new]
    #[pyo3(signature = (*args, **kwargs), text_signature = "(maxsize=0)")]
    fn new(args: &Bound<'_, PyTuple>, kwargs: Option<&Bound<'_, PyDict>>) -> PyClassInitializer<Self> {
        let _ = (args, kwargs);
        PyClassInitializer::from(PyQueue::ordered(Order::Lifo)).add_subclass(Self)
    }
}

/// Why something can't be put or taken now.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Refusal {
    Full,
    Empty,
    ShutDown,
}

impl Refusal {
    pub(super) fn into_error(self, py: Python<'_>) -> PyErr {
        names::queue_error(
            py,
            match self {
                Self::Full => names::QueueError::Full,
                Self::Empty => names::QueueError::Empty,
                Self::ShutDown => names::QueueError::ShutDown,
            },
        )
    }
}

impl<T> From<PutError<T>> for Refusal {
    fn from(error: PutError<T>) -> Self {
        match error {
            PutError::Full(_) => Self::Full,
            PutError::ShutDown(_) => Self::ShutDown,
        }
    }
}

impl From<GetError> for Refusal {
    fn from(error: GetError) -> Self {
        match error {
            GetError::Empty => Self::Empty,
            GetError::ShutDown => Self::ShutDown,
        }
    }
}

/// What each kind of queue does in its own way. The outer error is one of Python code.
pub(super) trait Line {
    fn put_nowait(&self, item: &Bound<'_, PyAny>) -> PyResult<Result<(), Refusal>>;
    fn put_in_turn(&self, item: &Bound<'_, PyAny>) -> PyResult<Result<(), Refusal>>;
    fn putting(&self, item: Bound<'_, PyAny>) -> PyResult<BoxedWait>;
    fn get_nowait<'py>(&self, py: Python<'py>) -> PyResult<Result<Bound<'py, PyAny>, Refusal>>;
    fn get_in_turn<'py>(&self, py: Python<'py>) -> PyResult<Result<Bound<'py, PyAny>, Refusal>>;
    fn getting(&self) -> BoxedWait;
    fn shut_down(&self, py: Python<'_>, how: Shutdown) -> PyResult<()>;
    /// Whether something was left to report.
    fn task_done(&self, py: Python<'_>) -> bool;
    fn joining(&self) -> BoxedWait;
    fn qsize(&self) -> usize;
    fn is_full(&self) -> bool;
    fn unfinished(&self) -> usize;
    /// How many wait for items, and for room.
    fn waiting(&self) -> [usize; 2];
    fn is_shut_down(&self) -> bool;
    /// Its items, as Python shows them.
    fn reprs(&self, py: Python<'_>) -> PyResult<Vec<String>>;
    fn traverse(&self, visit: &PyVisit<'_>) -> Result<(), PyTraverseError>;
    fn clear(&self);
}

/// What lies in a queue.
pub(super) trait Element: Send + 'static {
    /// What a Python object is there.
    ///
    /// # Errors
    /// When it can't be there.
    fn of(object: &Bound<'_, PyAny>) -> PyResult<Self>
    where
        Self: std::marker::Sized;

    fn into_python(self, py: Python<'_>) -> PyResult<Bound<'_, PyAny>>;

    /// The Python object, if it is one.
    fn object(&self) -> Option<&Py<PyAny>>;

    /// How one is shown that is none.
    fn shown(&self) -> String;
}

impl<T: Element, S: Storage<T> + Send + 'static> Line for Arc<QueueWith<T, S>> {
    fn put_nowait(&self, item: &Bound<'_, PyAny>) -> PyResult<Result<(), Refusal>> {
        let element = T::of(item)?;
        Ok(turn::attached(item.py(), || QueueWith::put_nowait(self, element)).map_err(Refusal::from))
    }

    fn put_in_turn(&self, item: &Bound<'_, PyAny>) -> PyResult<Result<(), Refusal>> {
        let element = T::of(item)?;
        Ok(turn::attached(item.py(), || QueueWith::put_in_turn(self, element)).map_err(Refusal::from))
    }

    fn putting(&self, item: Bound<'_, PyAny>) -> PyResult<BoxedWait> {
        let (queue, element) = (self.clone(), T::of(&item)?);
        Ok(waiting_for(async move { queue.put(element).await.map_err(|QueueShutDown(_)| ()) }, |py, put| {
            match put {
                Ok(()) => Ok(py.None()),
                Err(()) => Err(Refusal::ShutDown.into_error(py)),
            }
        }))
    }

    fn get_nowait<'py>(&self, py: Python<'py>) -> PyResult<Result<Bound<'py, PyAny>, Refusal>> {
        match turn::attached(py, || QueueWith::get_nowait(self)) {
            Ok(item) => item.into_python(py).map(Ok),
            Err(error) => Ok(Err(error.into())),
        }
    }

    fn get_in_turn<'py>(&self, py: Python<'py>) -> PyResult<Result<Bound<'py, PyAny>, Refusal>> {
        match turn::attached(py, || QueueWith::get_in_turn(self)) {
            Ok(item) => item.into_python(py).map(Ok),
            Err(error) => Ok(Err(error.into())),
        }
    }

    fn getting(&self) -> BoxedWait {
        let queue = self.clone();
        waiting_for(async move { queue.get().await }, |py, got| match got {
            Ok(item) => item.into_python(py).map(Bound::unbind),
            Err(QueueShutDown(())) => Err(Refusal::ShutDown.into_error(py)),
        })
    }

    fn shut_down(&self, py: Python<'_>, how: Shutdown) -> PyResult<()> {
        turn::attached(py, || self.shutdown(how));
        Ok(())
    }

    fn task_done(&self, py: Python<'_>) -> bool {
        turn::attached(py, || QueueWith::task_done(self)).is_ok()
    }

    fn joining(&self) -> BoxedWait {
        let queue = self.clone();
        waiting_for(async move { queue.join().await }, |py, ()| Ok(py.None()))
    }

    fn qsize(&self) -> usize {
        QueueWith::qsize(self)
    }

    fn is_full(&self) -> bool {
        QueueWith::is_full(self)
    }

    fn unfinished(&self) -> usize {
        QueueWith::unfinished(self)
    }

    fn waiting(&self) -> [usize; 2] {
        [self.getters(), self.putters()]
    }

    fn is_shut_down(&self) -> bool {
        QueueWith::is_shut_down(self)
    }

    fn reprs(&self, py: Python<'_>) -> PyResult<Vec<String>> {
        let mut items = Vec::new();
        self.look_at_each(&mut |item| {
            items.push(item.object().map(|object| object.clone_ref(py)).ok_or_else(|| item.shown()));
        });
        let shown = items.into_iter().map(|item| match item {
            Ok(object) => Ok(object.bind(py).repr()?.to_string()),
            Err(shown) => Ok(shown),
        });
        shown.collect()
    }

    fn traverse(&self, visit: &PyVisit<'_>) -> Result<(), PyTraverseError> {
        let mut visited = Ok(());
        self.look_at_each(&mut |item| {
            if let (Ok(()), Some(object)) = (&visited, item.object()) {
                visited = visit.call(object);
            }
        });
        visited
    }

    fn clear(&self) {
        while let Ok(item) = QueueWith::get_nowait(self) {
            drop(item);
        }
    }
}

struct Put;

impl Operation for Put {
    type Owner = PyQueue;
    const METHOD: &'static CStr = c"put";
    const NAME: &'static str = "Queue.put";
    const DOC: &'static CStr =
        c"put($self, item)\n--\n\nPuts an item; waits for room if there is none, or if others wait \
for it already. QueueShutDown if the queue is shut down, before or meanwhile.";
    const ARITY: Arity = Arity::One("item");

    fn begin<'py>(owner: &Bound<'py, PyQueue>, item: Option<Bound<'py, PyAny>>) -> PyResult<Begun<'py>> {
        let Some(item) = item else { unreachable!("it takes one argument") };
        let line = owner.get().line();
        match line.put_in_turn(&item)? {
            Ok(()) => Ok(Begun::none(owner.py())),
            Err(Refusal::Full) => Ok(Begun::Waits(line.putting(item)?)),
            Err(refusal) => Err(refusal.into_error(owner.py())),
        }
    }
}

struct Get;

impl Operation for Get {
    type Owner = PyQueue;
    const METHOD: &'static CStr = c"get";
    const NAME: &'static str = "Queue.get";
    const DOC: &'static CStr =
        c"get($self, /)\n--\n\nTakes an item; waits for one if there is none that others wait for. \
QueueShutDown if the queue was shut down and is empty.";

    fn begin<'py>(owner: &Bound<'py, PyQueue>, _: Option<Bound<'py, PyAny>>) -> PyResult<Begun<'py>> {
        let (py, line) = (owner.py(), owner.get().line());
        match line.get_in_turn(py)? {
            Ok(item) => Ok(Begun::Done(item)),
            Err(Refusal::Empty) => Ok(Begun::Waits(line.getting())),
            Err(refusal) => Err(refusal.into_error(py)),
        }
    }
}

struct Join;

impl Operation for Join {
    type Owner = PyQueue;
    const METHOD: &'static CStr = c"join";
    const NAME: &'static str = "Queue.join";
    const DOC: &'static CStr =
        c"join($self, /)\n--\n\nWaits until all items that were put have been reported by task_done().";

    fn begin<'py>(owner: &Bound<'py, PyQueue>, _: Option<Bound<'py, PyAny>>) -> PyResult<Begun<'py>> {
        let line = owner.get().line();
        if line.unfinished() == 0 {
            return Ok(Begun::none(owner.py()));
        }
        Ok(Begun::Waits(line.joining()))
    }
}

pub(super) fn complete(py: Python<'_>) -> PyResult<()> {
    let class = py.get_type::<PyQueue>();
    add_method::<Put>(&class)?;
    add_method::<Get>(&class)?;
    add_method::<Join>(&class)
}
