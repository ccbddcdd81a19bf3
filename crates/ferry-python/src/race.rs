//! `race`: a group that ends when its first child does, with the value or the error of that. The others are
//! cancelled, and so are all when the race is.

use crate::{
    group::{Counter, Group, Order, Wakers},
    home::Home,
    job::Job,
    names,
    source::{Deliver, End, Ending, Request, Source, Watch, Work},
};
use asyncferry::{Promise, State, promise};
use pyo3::{PyTraverseError, PyVisit, exceptions::PyValueError, prelude::*, types::PyTuple};
use std::{
    sync::{Arc, Weak},
    task::{Context, Poll},
};

/// Waits for the first that is done, and gives its result or raises its error; the others are cancelled.
///
/// Takes jobs, coroutines, tasks and futures. Errors of those that lost are not reported.
#[pyfunction]
#[pyo3(signature = (*aws))]
pub(crate) fn race<'py>(aws: &Bound<'py, PyTuple>) -> PyResult<Bound<'py, Job>> {
    let py = aws.py();
    if aws.is_empty() {
        return Err(PyValueError::new_err("race() was given nobody to race"));
    }
    let group = Group::of(py, "race", aws.iter().collect(), Order::AsGiven)?;
    let (promise, outcome) = promise();
    let racers = Arc::new(Racers { group: group.clone() });
    let counter = RaceCounter { promise, racers: Arc::downgrade(&racers), home: Home::of_running_loop(py)? };
    let wakers = group.count(py, &Arc::new(counter))?;
    let source = Racing { work: Work::new(outcome, None), racers, wakers };
    Job::of(py, Some("race"), source, None)
}

struct Racers {
    group: Arc<Group>,
}

impl Racers {
    fn cancel_losers(&self, py: Python<'_>, winner: usize) -> PyResult<()> {
        self.group.answer_for_errors(py);
        let places = (0..self.group.len()).filter(|place| *place != winner);
        // The winner may stand at several places: a cancel doesn't touch what is done.
        self.group.cancel(py, places, None, "another won the race").map(drop)
    }
}

impl Request for Racers {
    fn cancel(&self, py: Python<'_>, message: Option<Py<PyAny>>, text: &str) -> PyResult<bool> {
        self.group.cancel(py, 0..self.group.len(), message.as_ref(), text)
    }
}

/// The child that was done first, and how it ended.
struct First {
    place: usize,
    end: End,
}

impl Deliver for First {
    fn deliver(&self, py: Python<'_>) -> PyResult<Py<PyAny>> {
        Err(names::invalid_state(py, "who was first is no result"))
    }

    fn end(&self) -> End {
        self.end
    }
}

struct RaceCounter {
    promise: Promise<First>,
    racers: Weak<Racers>,
    home: Option<Arc<Home>>,
}

impl Counter for RaceCounter {
    fn child_done(&self, place: usize, end: End) {
        if self.promise.complete(First { place, end }).is_err() {
            return;
        }
        // The losers stop even if nobody looks at the race for now.
        let racers = self.racers.clone();
        if let Some(home) = &self.home {
            home.run(move |py, _| racers.upgrade().map_or(Ok(()), |racers| racers.cancel_losers(py, place)));
        }
    }

    fn asks_for_errors(&self) -> bool {
        true
    }
}

struct Racing {
    work: Work<First>,
    racers: Arc<Racers>,
    wakers: Wakers<RaceCounter>,
}

impl Source for Racing {
    fn state(&self) -> State {
        self.work.state()
    }

    fn failed(&self) -> bool {
        self.work.value().is_some_and(|first| first.end == End::Error)
    }

    fn poll_settled(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        self.work.poll_settled(cx)
    }

    fn watch(&self) -> Box<dyn Watch> {
        self.work.watch()
    }

    fn cancel(&self, message: &str) -> bool {
        self.work.cancel(message)
    }

    fn ending(&self, py: Python<'_>) -> Ending {
        let Some(First { place, .. }) = self.work.value() else { return self.work.ending(py) };
        let stopped = self.racers.cancel_losers(py, *place);
        Ending::of(py, stopped.and_then(|()| self.racers.group.result(py, *place)))
    }

    fn request(&self) -> Option<Arc<dyn Request>> {
        Some(self.racers.clone())
    }

    fn depth(&self) -> usize {
        self.racers.group.depth()
    }

    fn jobs_out(&self, py: Python<'_>, home: &Arc<Home>) -> usize {
        self.wakers.jobs_out(py, &self.racers.group, home)
    }

    fn traverse(&self, visit: &PyVisit<'_>) -> Result<(), PyTraverseError> {
        self.racers.group.traverse(visit)
    }
}
