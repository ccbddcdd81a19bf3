//! Queues of plain values: those that Python shares with scripts and Rust by a name. What Python puts crosses at once, so an object that
//! can't is refused where it's put; what it takes is a copy.

use super::queue::{Line, Refusal};
use crate::{
    operation::{BoxedWait, waiting_for},
    turn, value,
};
use asyncferry::{
    Value, ValueLimits,
    sync::{Queue, QueueShutDown, QueueWith, Shutdown, named::NameError},
};
use pyo3::{PyTraverseError, PyVisit, exceptions::PyValueError, prelude::*};
use std::sync::Arc;

/// What asking for a name fails with.
pub(super) fn name_error(error: NameError) -> PyErr {
    PyValueError::new_err(error.to_string())
}

fn plain(item: &Bound<'_, PyAny>) -> PyResult<Value> {
    value::to_value(item, &ValueLimits::default())
}

impl Line for Arc<Queue<Value>> {
    fn put_nowait(&self, item: &Bound<'_, PyAny>) -> PyResult<Result<(), Refusal>> {
        let value = plain(item)?;
        Ok(turn::attached(item.py(), || QueueWith::put_nowait(self, value)).map_err(Refusal::from))
    }

    fn put_in_turn(&self, item: &Bound<'_, PyAny>) -> PyResult<Result<(), Refusal>> {
        let value = plain(item)?;
        Ok(turn::attached(item.py(), || QueueWith::put_in_turn(self, value)).map_err(Refusal::from))
    }

    fn putting(&self, item: Bound<'_, PyAny>) -> BoxedWait {
        let (queue, value) =
            (self.clone(), plain(&item).map_err(|error| Py::from(error.into_value(item.py()))));
        let putting = async move {
            match value {
                Ok(value) => Ok(queue.put(value).await.map_err(|QueueShutDown(_)| ())),
                Err(error) => Err(error),
            }
        };
        waiting_for(putting, |py, put| match put {
            Ok(Ok(())) => Ok(py.None()),
            Ok(Err(())) => Err(Refusal::ShutDown.into_error(py)),
            Err(error) => Err(PyErr::from_value(error.into_bound(py))),
        })
    }

    fn get_nowait<'py>(&self, py: Python<'py>) -> PyResult<Result<Bound<'py, PyAny>, Refusal>> {
        match turn::attached(py, || QueueWith::get_nowait(self)) {
            Ok(item) => value::to_python(py, &item).map(Ok),
            Err(error) => Ok(Err(error.into())),
        }
    }

    fn get_in_turn<'py>(&self, py: Python<'py>) -> PyResult<Result<Bound<'py, PyAny>, Refusal>> {
        match turn::attached(py, || QueueWith::get_in_turn(self)) {
            Ok(item) => value::to_python(py, &item).map(Ok),
            Err(error) => Ok(Err(error.into())),
        }
    }

    fn getting(&self) -> BoxedWait {
        let queue = self.clone();
        waiting_for(async move { queue.get().await }, |py, got| match got {
            Ok(item) => value::to_python(py, &item).map(Bound::unbind),
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

    fn reprs(&self, _py: Python<'_>) -> PyResult<Vec<String>> {
        let mut items = Vec::new();
        self.look_at_each(&mut |item| items.push(item.to_string()));
        Ok(items)
    }

    fn traverse(&self, _visit: &PyVisit<'_>) -> Result<(), PyTraverseError> {
        Ok(())
    }

    fn clear(&self) {}
}
