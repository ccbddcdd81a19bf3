//! [`Wait`]: what a parked task waits for, and how it has itself woken.

use super::Task;
use crate::effects::{
    future::Future,
    machine::Next,
    semaphore::Semaphore,
    waitable::{Outcome, Waitable},
};
use pyo3::{PyTraverseError, PyVisit, prelude::*};

/// What a parked task waits for.
pub(in crate::effects) enum Wait {
    One(Waitable),
    All {
        items: Vec<Waitable>,
        left: usize,
    },
    First(Vec<Waitable>),
    Permit(Py<Semaphore>),
    /// What is awaited, and is cancelled with it.
    Awaited {
        object: Py<PyAny>,
        future: Py<Future>,
        asked: Option<Option<Py<PyAny>>>,
    },
}

/// What something waits for, to be put into words.
pub(super) enum Names {
    Items(Vec<Waitable>),
    Other(String),
}

/// So many are named.
const SHOWN: usize = 3;

impl Names {
    pub(super) fn describe(self, py: Python<'_>) -> String {
        let mut pending = match self {
            Self::Items(items) => items,
            Self::Other(other) => return other,
        };
        pending.retain(|item| !item.is_settled(py));
        let shown: Vec<_> = pending.iter().take(SHOWN).map(|item| item.describe(py)).collect();
        let more = pending.len() - shown.len();
        let more = if more > 0 { format!(" and {more} more") } else { String::new() };
        format!("{}{more}", shown.join(", "))
    }
}

impl Wait {
    /// Has those that it waits for wake the task, or gives what it goes on with at once.
    pub(in crate::effects) fn register(&mut self, task: &Bound<'_, Task>) -> Option<Next> {
        let py = task.py();
        let ticket = task.get().ticket(py);
        match self {
            Self::One(waitable) => settled(py, waitable, task, ticket).map(Outcome::into_next),
            Self::Awaited { future, .. } => {
                let waitable = Waitable::Future(future.clone_ref(py));
                settled(py, &waitable, task, ticket).map(Outcome::into_next)
            }
            Self::First(items) => {
                let first = items.iter().enumerate().find_map(|(place, item)| {
                    settled(py, item, task, ticket).map(|outcome| (place, outcome))
                });
                let (place, outcome) = first?;
                items[..place].iter().for_each(|item| item.lose(task));
                Some(outcome.into_next())
            }
            Self::All { items, left } => {
                for place in 0..items.len() {
                    match settled(py, &items[place], task, ticket) {
                        None => *left += 1,
                        Some(Outcome::Value(_)) => {}
                        Some(error) => {
                            items[..place].iter().for_each(|item| item.lose(task));
                            return Some(error.into_next());
                        }
                    }
                }
                (*left == 0).then(|| Next::Collect(std::mem::take(items)))
            }
            Self::Permit(semaphore) => {
                semaphore.get().wait(task, ticket);
                None
            }
        }
    }

    /// What it waits for. Nothing of that is looked at: it may be the task itself.
    pub(super) fn names(&self, py: Python<'_>) -> Names {
        match self {
            Self::One(waitable) => Names::Items(vec![waitable.clone_ref(py)]),
            Self::All { items, .. } | Self::First(items) => {
                Names::Items(items.iter().map(|item| item.clone_ref(py)).collect())
            }
            Self::Permit(semaphore) => Names::Other(format!("a permit of {}", semaphore.get().describe())),
            Self::Awaited { .. } => Names::Other("an Await".to_owned()),
        }
    }

    pub(super) fn traverse(&self, visit: &PyVisit<'_>) -> Result<(), PyTraverseError> {
        match self {
            Self::One(waitable) => waitable.traverse(visit),
            Self::All { items, .. } | Self::First(items) => {
                items.iter().try_for_each(|item| item.traverse(visit))
            }
            Self::Permit(semaphore) => visit.call(semaphore),
            Self::Awaited { object, future, asked } => {
                visit.call(object)?;
                if let Some(Some(message)) = asked {
                    visit.call(message)?;
                }
                visit.call(future)
            }
        }
    }
}

/// How `waitable` ended, or nothing, and `task` waits for it.
fn settled(py: Python<'_>, waitable: &Waitable, task: &Bound<'_, Task>, ticket: u32) -> Option<Outcome> {
    if waitable.add(task, ticket) { None } else { waitable.look(py) }
}
