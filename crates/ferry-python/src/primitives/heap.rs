//! [`Heap`]: Python objects, the least first, by their own `<`, which may fail. So each change is planned first, with all
//! comparisons, and then made, which can't fail.

use crate::calling;
use pyo3::prelude::*;

/// A binary heap.
#[derive(Default)]
pub(super) struct Heap {
    items: Vec<Py<PyAny>>,
}

/// Where an item goes, step by step. It holds for the heap as it was when the plan was made.
pub(super) struct Path(Vec<usize>);

impl Heap {
    /// How `item` would be added.
    ///
    /// # Errors
    /// What a comparison raised.
    pub(super) fn plan_push(&self, item: &Bound<'_, PyAny>) -> PyResult<Path> {
        let mut path = vec![self.items.len()];
        while let Some(place @ 1..) = path.last().copied() {
            let parent = (place - 1) / 2;
            if !calling::is_less(item, self.items[parent].bind(item.py()))? {
                break;
            }
            path.push(parent);
        }
        Ok(Path(path))
    }

    /// Adds `item` as planned.
    pub(super) fn push(&mut self, item: Py<PyAny>, path: &Path) {
        self.items.push(item);
        self.walk(path);
    }

    /// How the least item would be taken out.
    ///
    /// # Errors
    /// What a comparison raised.
    pub(super) fn plan_pop(&self, py: Python<'_>) -> PyResult<Path> {
        let mut path = vec![0];
        let last = self.items.len().saturating_sub(1);
        while let Some(child) = self.least_child(py, path[path.len() - 1], last)? {
            if !calling::is_less(self.items[child].bind(py), self.items[last].bind(py))? {
                break;
            }
            path.push(child);
        }
        Ok(Path(path))
    }

    /// Takes out the least item as planned; `None` if there is none.
    pub(super) fn pop(&mut self, path: &Path) -> Option<Py<PyAny>> {
        if self.items.is_empty() {
            return None;
        }
        let least = self.items.swap_remove(0);
        self.walk(path);
        Some(least)
    }

    /// All of them: the least first, the others in the heap's own order.
    pub(super) fn items(&self) -> &[Py<PyAny>] {
        &self.items
    }

    /// Takes out all.
    pub(super) fn clear(&mut self) -> Vec<Py<PyAny>> {
        std::mem::take(&mut self.items)
    }

    fn walk(&mut self, path: &Path) {
        for step in path.0.windows(2) {
            self.items.swap(step[0], step[1]);
        }
    }

    /// The lesser of the children of `place`, among the first `count`.
    fn least_child(&self, py: Python<'_>, place: usize, count: usize) -> PyResult<Option<usize>> {
        let (left, right) = (2 * place + 1, 2 * place + 2);
        if left >= count {
            return Ok(None);
        }
        if right < count && calling::is_less(self.items[right].bind(py), self.items[left].bind(py))? {
            return Ok(Some(right));
        }
        Ok(Some(left))
    }
}
