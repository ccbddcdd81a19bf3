//! How tasks end before their time: what a loop knows of those that are cancelled, beside the tasks, as most never
//! are; and whether the loop ends, and all of them with it.

use super::tasks::Step;
use crate::{
    cancel::{Cancelled, scope::Scope},
    model::Arc,
};
use std::cell::{Cell, RefCell};

/// By the slot of a task:
///
/// | the task | its fate |
/// |---|---|
/// | nothing happened | – |
/// | was cancelled before it polled a `cancellable` | doomed, with the request: it's dropped at its next turn |
/// | has polled a `cancellable` | its scope, which requests go to |
pub(super) struct Cancels {
    /// Whether there is any of the below, which is all that a turn looks at.
    any: Cell<bool>,
    closing: Cell<bool>,
    fates: RefCell<Fates>,
}

/// In the place of each slot, up to the highest that ever had one.
struct Fates {
    places: Vec<Option<Fate>>,
    count: usize,
}

enum Fate {
    Scope(Arc<Scope>),
    Doomed(Cancelled),
}

impl Cancels {
    pub(super) const fn new() -> Self {
        Self { any: Cell::new(false), closing: Cell::new(false), fates: RefCell::new(Fates::new()) }
    }

    pub(super) fn swap(&self, other: &Self) {
        self.any.swap(&other.any);
        self.closing.swap(&other.closing);
        self.fates.swap(&other.fates);
    }

    pub(super) fn scope(&self, slot: u32) -> Option<Arc<Scope>> {
        match self.fates.borrow().get(slot) {
            Some(Fate::Scope(scope)) => Some(scope.clone()),
            _ => None,
        }
    }

    /// The task's scope, made if need be. A request that came before, in the poll that runs now, goes to it.
    pub(super) fn make_scope(&self, slot: u32) -> Arc<Scope> {
        if let Some(scope) = self.scope(slot) {
            return scope;
        }
        let scope = Scope::new(None);
        let before = self.fates.borrow_mut().replace(slot, Some(Fate::Scope(scope.clone())));
        if let Some(Fate::Doomed(cancelled)) = before {
            scope.request(cancelled);
        }
        self.count();
        scope
    }

    /// Dooms a task that has no scope.
    pub(super) fn doom(&self, slot: u32, cancelled: Cancelled) {
        let before = self.fates.borrow_mut().replace(slot, Some(Fate::Doomed(cancelled)));
        debug_assert!(!matches!(before, Some(Fate::Scope(_))), "a request goes to the task's scope");
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
            Step::Poll if self.reason(slot).is_some() => Step::Abort,
            Step::Poll if self.closing.get() => Step::End,
            step => step,
        }
    }

    /// Why the task is dropped, if it was doomed.
    pub(super) fn reason(&self, slot: u32) -> Option<Cancelled> {
        match self.fates.borrow().get(slot) {
            Some(Fate::Doomed(cancelled)) => Some(cancelled.clone()),
            _ => None,
        }
    }

    /// The task has ended.
    pub(super) fn forget(&self, slot: u32) {
        if !self.any.get() {
            return;
        }
        let fate = self.fates.borrow_mut().replace(slot, None);
        self.count();
        if let Some(Fate::Scope(scope)) = fate {
            scope.end();
        }
    }

    fn count(&self) {
        self.any.set(self.closing.get() || self.fates.borrow().count > 0);
    }

    /// Gives back the room of fates, at the end of the loop, when no task has one any more.
    pub(super) fn clear(&self) {
        self.fates.replace(Fates::new());
        self.count();
    }
}

impl Fates {
    const fn new() -> Self {
        Self { places: Vec::new(), count: 0 }
    }

    fn get(&self, slot: u32) -> Option<&Fate> {
        self.places.get(slot as usize)?.as_ref()
    }

    /// The fate that the task in `slot` had before. It's to be dropped outside of any borrow.
    fn replace(&mut self, slot: u32, fate: Option<Fate>) -> Option<Fate> {
        let slot = slot as usize;
        if slot >= self.places.len() {
            // Nothing takes no place.
            fate.as_ref()?;
            self.places.resize_with(slot + 1, || None);
        }
        self.count += usize::from(fate.is_some());
        let before = std::mem::replace(&mut self.places[slot], fate);
        self.count -= usize::from(before.is_some());
        before
    }
}
