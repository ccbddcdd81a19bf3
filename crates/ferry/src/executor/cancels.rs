//! How tasks end before their time: what a loop knows of those that are cancelled, beside the tasks, as most never
//! are; and whether the loop ends, and all of them with it.

use super::tasks::Step;
use crate::{
    cancel::{Cancelled, scope::Scope},
    model::Arc,
};
use std::{
    cell::{Cell, RefCell},
    collections::BTreeMap,
};

/// By the slot of a task:
///
/// | the task | `scopes` | `doomed` |
/// |---|---|---|
/// | nothing happened | – | – |
/// | was cancelled before it polled a `cancellable` | – | the request: it's dropped at its next turn |
/// | has polled a `cancellable` | its scope, which requests go to | – |
pub(super) struct Cancels {
    /// Whether there is any of the below, which is all that a turn looks at.
    any: Cell<bool>,
    closing: Cell<bool>,
    scopes: RefCell<BTreeMap<u32, Arc<Scope>>>,
    doomed: RefCell<BTreeMap<u32, Cancelled>>,
}

impl Cancels {
    pub(super) const fn new() -> Self {
        Self {
            any: Cell::new(false),
            closing: Cell::new(false),
            scopes: RefCell::new(BTreeMap::new()),
            doomed: RefCell::new(BTreeMap::new()),
        }
    }

    pub(super) fn swap(&self, other: &Self) {
        self.any.swap(&other.any);
        self.closing.swap(&other.closing);
        self.scopes.swap(&other.scopes);
        self.doomed.swap(&other.doomed);
    }

    pub(super) fn scope(&self, slot: u32) -> Option<Arc<Scope>> {
        self.scopes.borrow().get(&slot).cloned()
    }

    /// The task's scope, made if need be. A request that came before, in the poll that runs now, goes to it.
    pub(super) fn make_scope(&self, slot: u32) -> Arc<Scope> {
        let scope = self.scopes.borrow_mut().entry(slot).or_insert_with(|| Scope::new(None)).clone();
        if let Some(cancelled) = self.doomed.borrow_mut().remove(&slot) {
            scope.request(cancelled);
        }
        self.count();
        scope
    }

    pub(super) fn doom(&self, slot: u32, cancelled: Cancelled) {
        self.doomed.borrow_mut().insert(slot, cancelled);
        self.count();
    }

    /// Whether the loop ends.
    pub(super) fn is_closing(&self) -> bool {
        self.closing.get()
    }

    pub(super) fn set_closing(&self, closing: bool) {
        self.closing.set(closing);
        self.count();
    }

    /// What to do with a task, of which its cell says `step`.
    #[inline]
    pub(super) fn step(&self, slot: u32, step: Step) -> Step {
        if self.any.get() { self.unusual_step(slot, step) } else { step }
    }

    #[cold]
    fn unusual_step(&self, slot: u32, step: Step) -> Step {
        match step {
            Step::Poll if self.doomed.borrow().contains_key(&slot) => Step::Abort,
            Step::Poll if self.closing.get() => Step::End,
            step => step,
        }
    }

    /// Why the task is dropped, if it was doomed.
    pub(super) fn reason(&self, slot: u32) -> Option<Cancelled> {
        self.doomed.borrow().get(&slot).cloned()
    }

    /// The task has ended.
    pub(super) fn forget(&self, slot: u32) {
        if !self.any.get() {
            return;
        }
        let scope = self.scopes.borrow_mut().remove(&slot);
        self.doomed.borrow_mut().remove(&slot);
        self.count();
        if let Some(scope) = scope {
            scope.end();
        }
    }

    fn count(&self) {
        let is_any =
            self.closing.get() || !self.scopes.borrow().is_empty() || !self.doomed.borrow().is_empty();
        self.any.set(is_any);
    }
}
