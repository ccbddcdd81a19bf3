//! `asyncferry.PriorityQueue`: items in the order of their own `<`.
//!
//! That is Python code, which a queue of Rust's can't run: it would hold its latch meanwhile. So the items lie in a
//! [`Heap`] of their own, and a queue of Rust's counts them, with one token for each: who may put and who gets one, in
//! which order, is its affair. The heap's lock is held around both, so that there are as many tokens as items whenever
//! somebody looks; it lets the GIL go while it waits. A comparison that uses the queue itself is refused.
//!
//! Comparing comes first: an item that can't be compared is not put, and one that can't be taken out for that stays.

use super::{
    heap::Heap,
    queue::{Line, Order, PyQueue, Refusal},
};
use crate::{
    operation::{BoxedWait, Wait, waiting_for},
    turn,
};
use asyncferry::sync::{GetError, PutError, Queue, QueueShutDown, Shutdown};
use pyo3::{
    PyTraverseError, PyVisit,
    exceptions::PyRuntimeError,
    prelude::*,
    sync::MutexExt,
    types::{PyDict, PyTuple},
};
use std::{
    future::Future,
    ops::{Deref, DerefMut},
    pin::Pin,
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{self, AtomicUsize},
    },
    task::{Context, Poll},
};

/// A Queue that gives the least item first: as asyncio.PriorityQueue. Items are compared with `<`.
///
/// It belongs to Python, as comparing does: Rust can await what its methods give.
#[pyclass(frozen, subclass, extends = PyQueue, module = "asyncferry", name = "PriorityQueue")]
pub struct PyPriorityQueue;

#[pymethods]
impl PyPriorityQueue {
    #[new]
    #[pyo3(signature = (*args, **kwargs), text_signature = "(maxsize=0)")]
    fn new(args: &Bound<'_, PyTuple>, kwargs: Option<&Bound<'_, PyDict>>) -> PyClassInitializer<Self> {
        let _ = (args, kwargs);
        PyClassInitializer::from(PyQueue::ordered(Order::Sorted)).add_subclass(Self)
    }
}

/// The items, and who waits for them.
pub(super) struct Sorted {
    tokens: Arc<Queue<()>>,
    heap: Mutex<Heap>,
    /// Which thread has the heap's lock: the address of something that each thread has one of.
    holder: AtomicUsize,
}

struct Held<'a> {
    heap: MutexGuard<'a, Heap>,
    holder: &'a AtomicUsize,
}

impl Deref for Held<'_> {
    type Target = Heap;

    fn deref(&self) -> &Heap {
        &self.heap
    }
}

impl DerefMut for Held<'_> {
    fn deref_mut(&mut self) -> &mut Heap {
        &mut self.heap
    }
}

impl Drop for Held<'_> {
    fn drop(&mut self) {
        self.holder.store(NOBODY, atomic::Ordering::Relaxed);
    }
}

const NOBODY: usize = 0;

fn this_thread() -> usize {
    thread_local! {
        static ME: u8 = const { 0 };
    }
    ME.with(|me| std::ptr::from_ref(me).addr())
}

impl Sorted {
    pub(super) fn new(maxsize: usize) -> Self {
        Self {
            tokens: Arc::new(Queue::new(maxsize)),
            heap: Mutex::default(),
            holder: AtomicUsize::new(NOBODY),
        }
    }

    /// Its items and tokens, for this thread alone.
    fn hold(&self, py: Python<'_>) -> PyResult<Held<'_>> {
        let me = this_thread();
        if self.holder.load(atomic::Ordering::Relaxed) == me {
            return Err(PyRuntimeError::new_err(
                "a PriorityQueue can't be used by the code that compares its items",
            ));
        }
        let heap = self.heap.lock_py_attached(py).unwrap_or_else(PoisonError::into_inner);
        self.holder.store(me, atomic::Ordering::Relaxed);
        Ok(Held { heap, holder: &self.holder })
    }

    fn put_by(
        &self,
        item: &Bound<'_, PyAny>,
        put: impl FnOnce(&Queue<()>) -> Result<(), PutError<()>>,
    ) -> PyResult<Result<(), Refusal>> {
        let mut heap = self.hold(item.py())?;
        let path = heap.plan_push(item)?;
        Ok(turn::attached(item.py(), || put(&self.tokens))
            .map(|()| heap.push(item.clone().unbind(), &path))
            .map_err(Refusal::from))
    }

    fn get_by<'py>(
        &self,
        py: Python<'py>,
        get: impl FnOnce(&Queue<()>) -> Result<(), GetError>,
    ) -> PyResult<Result<Bound<'py, PyAny>, Refusal>> {
        let mut heap = self.hold(py)?;
        let path = heap.plan_pop(py)?;
        let got = turn::attached(py, || get(&self.tokens));
        Ok(got.map_err(Refusal::from).and_then(|()| {
            let item = heap.pop(&path);
            item.map(|item| item.into_bound(py)).ok_or(Refusal::ShutDown)
        }))
    }
}

impl Line for Arc<Sorted> {
    fn put_nowait(&self, item: &Bound<'_, PyAny>) -> PyResult<Result<(), Refusal>> {
        self.put_by(item, |tokens| tokens.put_nowait(()))
    }

    fn put_in_turn(&self, item: &Bound<'_, PyAny>) -> PyResult<Result<(), Refusal>> {
        self.put_by(item, |tokens| tokens.put_in_turn(()))
    }

    fn putting(&self, item: Bound<'_, PyAny>) -> PyResult<BoxedWait> {
        let tokens = self.tokens.clone();
        let token = Box::pin(async move { tokens.put(()).await });
        Ok(Box::pin(Putting { sorted: self.clone(), item: item.unbind(), token }))
    }

    fn get_nowait<'py>(&self, py: Python<'py>) -> PyResult<Result<Bound<'py, PyAny>, Refusal>> {
        self.get_by(py, Queue::get_nowait)
    }

    fn get_in_turn<'py>(&self, py: Python<'py>) -> PyResult<Result<Bound<'py, PyAny>, Refusal>> {
        self.get_by(py, Queue::get_in_turn)
    }

    fn getting(&self) -> BoxedWait {
        let tokens = self.tokens.clone();
        Box::pin(Getting { sorted: self.clone(), token: Box::pin(async move { tokens.get().await }) })
    }

    fn shut_down(&self, py: Python<'_>, how: Shutdown) -> PyResult<()> {
        let dropped = {
            let mut heap = self.hold(py)?;
            turn::attached(py, || self.tokens.shutdown(how));
            match how {
                Shutdown::Drain => Vec::new(),
                Shutdown::Immediate => heap.clear(),
            }
        };
        drop(dropped);
        Ok(())
    }

    fn task_done(&self, py: Python<'_>) -> bool {
        turn::attached(py, || self.tokens.task_done()).is_ok()
    }

    fn joining(&self) -> BoxedWait {
        let tokens = self.tokens.clone();
        waiting_for(async move { tokens.join().await }, |py, ()| Ok(py.None()))
    }

    fn qsize(&self) -> usize {
        self.tokens.qsize()
    }

    fn is_full(&self) -> bool {
        self.tokens.is_full()
    }

    fn unfinished(&self) -> usize {
        self.tokens.unfinished()
    }

    fn waiting(&self) -> [usize; 2] {
        [self.tokens.getters(), self.tokens.putters()]
    }

    fn is_shut_down(&self) -> bool {
        self.tokens.is_shut_down()
    }

    fn reprs(&self, py: Python<'_>) -> PyResult<Vec<String>> {
        let items: Vec<_> = self.hold(py)?.items().iter().map(|item| item.clone_ref(py)).collect();
        items.iter().map(|item| Ok(item.bind(py).repr()?.to_string())).collect()
    }

    fn traverse(&self, visit: &PyVisit<'_>) -> Result<(), PyTraverseError> {
        // While somebody compares, the items are not visited, and so not collected this time.
        let Ok(heap) = self.heap.try_lock() else { return Ok(()) };
        heap.items().iter().try_for_each(|item| visit.call(item))
    }

    fn clear(&self) {
        let dropped = self.heap.lock().unwrap_or_else(PoisonError::into_inner).clear();
        drop(dropped);
    }
}

/// A put that waits for a token's room.
struct Putting {
    sorted: Arc<Sorted>,
    item: Py<PyAny>,
    token: Pin<Box<dyn Future<Output = Result<(), QueueShutDown<()>>> + Send>>,
}

impl Wait for Putting {
    fn poll(self: Pin<&mut Self>, py: Python<'_>, cx: &mut Context<'_>) -> Poll<PyResult<Py<PyAny>>> {
        let this = self.get_mut();
        let item = this.item.bind(py);
        let planned = this.sorted.hold(py).and_then(|heap| heap.plan_push(item).map(|path| (heap, path)));
        let (mut heap, path) = match planned {
            Ok(planned) => planned,
            Err(error) => return Poll::Ready(Err(error)),
        };
        this.token.as_mut().poll(cx).map(|put| match put {
            Ok(()) => {
                heap.push(item.clone().unbind(), &path);
                Ok(py.None())
            }
            Err(QueueShutDown(())) => Err(Refusal::ShutDown.into_error(py)),
        })
    }

    fn traverse(&self, visit: &PyVisit<'_>) -> Result<(), PyTraverseError> {
        visit.call(&self.item)
    }
}

/// A get that waits for a token.
struct Getting {
    sorted: Arc<Sorted>,
    token: Pin<Box<dyn Future<Output = Result<(), QueueShutDown>> + Send>>,
}

impl Wait for Getting {
    fn poll(self: Pin<&mut Self>, py: Python<'_>, cx: &mut Context<'_>) -> Poll<PyResult<Py<PyAny>>> {
        let this = self.get_mut();
        let planned = this.sorted.hold(py).and_then(|heap| heap.plan_pop(py).map(|path| (heap, path)));
        let (mut heap, path) = match planned {
            Ok(planned) => planned,
            Err(error) => return Poll::Ready(Err(error)),
        };
        this.token.as_mut().poll(cx).map(|got| {
            let item = got.ok().and_then(|()| heap.pop(&path));
            item.ok_or_else(|| Refusal::ShutDown.into_error(py))
        })
    }
}
