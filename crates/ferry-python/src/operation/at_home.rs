//! [`AtHome`]: what an event loop's home knows of the operations that wait there.

use super::{Alarm, Pause};
use crate::{gil_cell::GilCell, slots::Slots};
use pyo3::{PyTraverseError, PyVisit, ffi, prelude::*};
use std::{collections::VecDeque, sync::Arc};

/// So many pauses are kept for the next operations that wait.
const SPARE: usize = 256;

#[derive(Default)]
pub(crate) struct AtHome {
    /// The pauses that have a callback to run here. As with jobs, they live as long as the loop.
    held: GilCell<Slots<Py<Pause>>>,
    /// Pauses that are over, and that nobody else refers to.
    spare: GilCell<Vec<Py<Pause>>>,
    woken: GilCell<Woken>,
}

/// The alarms that go on at the loop's next turn.
#[derive(Default)]
pub(crate) struct Woken {
    pub(crate) alarms: VecDeque<Arc<Alarm>>,
    /// The loop is going to run them.
    pub(crate) is_scheduled: bool,
}

impl AtHome {
    /// Keeps `pause` alive, and gives its place; `None` when the loop is gone.
    pub(super) fn keep(&self, pause: &Bound<'_, Pause>) -> Option<usize> {
        // Somebody else refers to it too, so one that is refused isn't dropped here.
        let kept = pause.clone().unbind();
        self.held.with(pause.py(), |held| held.keep(kept)).ok()
    }

    /// Gives back what stands at `place`.
    pub(super) fn release(&self, py: Python<'_>, place: usize) -> Option<Py<Pause>> {
        self.held.with(py, |held| held.release(place))
    }

    pub(crate) fn with_woken<R>(&self, py: Python<'_>, act: impl FnOnce(&mut Woken) -> R) -> R {
        self.woken.with(py, act)
    }

    /// A pause that was used before.
    pub(super) fn spare<'py>(&self, py: Python<'py>) -> Option<Bound<'py, Pause>> {
        self.spare.with(py, Vec::pop).map(|pause| pause.into_bound(py))
    }

    /// Keeps a pause for another use, if nobody refers to it any more, nor to its alarm but `ours`.
    pub(super) fn recycle(&self, pause: Bound<'_, Pause>, ours: &Arc<Alarm>) {
        let py = pause.py();
        // SAFETY: the object is alive.
        let is_ours = unsafe { ffi::Py_REFCNT(pause.as_ptr()) } == 1;
        // One is the caller's, and two are the pause's: its alarm and its waker.
        if is_ours && Arc::strong_count(ours) == 3 && pause.get().is_over(py) {
            let pause = pause.unbind();
            let left = self.spare.with(py, |spare| {
                if spare.len() < SPARE {
                    spare.push(pause);
                    return None;
                }
                Some(pause)
            });
            drop(left);
        }
    }

    /// Lets go of all: nobody will go on here, so what was handed to those who wait goes to others. Call it with the GIL:
    /// Python code may run, of what is dropped.
    pub(crate) fn end(&self) {
        Python::attach(|py| {
            let held = self.held.with(py, |held| held.end().collect::<Vec<_>>());
            held.iter().for_each(|pause| pause.get().end(py));
            let spare = self.spare.with(py, std::mem::take);
            let woken = self.woken.with(py, |woken| std::mem::take(&mut woken.alarms));
            drop((held, spare, woken));
        });
    }

    pub(crate) fn traverse(&self, visit: &PyVisit<'_>) -> Result<(), PyTraverseError> {
        let visited = self.held.visit(|held| held.iter().try_for_each(|pause| visit.call(pause)));
        visited.unwrap_or(Ok(()))?;
        let visited = self.spare.visit(|spare| spare.iter().try_for_each(|pause| visit.call(pause)));
        visited.unwrap_or(Ok(()))
    }
}
