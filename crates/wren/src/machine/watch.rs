//! [`Watch`]: what the machine looks up for from its work: a request to stop, a budget that is used up, memory.
//!
//! A *step* is a call of a function of the program, or a turn of a loop. The interpreter counts steps down in slices, and at
//! the end of each looks here. The heap cuts a slice short when the collector is due.

use super::Machine;
use crate::{heap::Gc, object::Fiber, word::Word};
use std::sync::{
    Arc,
    atomic::{AtomicBool, Ordering},
};

/// So many steps lie between two looks at most.
const SLICE: i64 = 2048;

/// Why a run was stopped from outside.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Stop {
    Interrupted,
    OutOfSteps,
    /// The host's guard said so: [`Machine::stopped`] is why.
    ByGuard,
}

pub(crate) struct Watch {
    interrupt: Arc<AtomicBool>,
    /// What is left of the budget, those of the running slice not counted. `None`: no budget.
    left: Option<u64>,
    /// The steps of the running slice.
    granted: i64,
    taken: u64,
    /// Whether every step is looked up from, with a collection.
    pub(crate) collects_always: bool,
}

/// What a look shows that ends the work of the fiber.
pub(crate) enum Trouble {
    Stop(Stop),
    /// An error of the program.
    Error(Word),
}

impl Watch {
    pub(crate) fn new(budget: Option<u64>) -> Self {
        Self { interrupt: Arc::default(), left: budget, granted: 0, taken: 0, collects_always: false }
    }

    pub(crate) fn interrupt(&self) -> Arc<AtomicBool> {
        Arc::clone(&self.interrupt)
    }
}

impl Machine {
    /// A safe point: the running fiber has its `sp` and its place put back.
    #[cold]
    pub(crate) fn look_up(&mut self) -> Result<(), Trouble> {
        if self.heap.is_due() || self.watch.collects_always {
            self.collect();
            if self.heap.is_exhausted() {
                let message = self.text(super::failing::OUT_OF_MEMORY);
                return Err(Trouble::Error(message));
            }
        }
        self.settle_steps();
        if self.watch.interrupt.load(Ordering::Relaxed) {
            return Err(Trouble::Stop(Stop::Interrupted));
        }
        if self.watch.left == Some(0) {
            return Err(Trouble::Stop(Stop::OutOfSteps));
        }
        if let Some(reason) = self.host.guard.as_mut().and_then(|guard| guard()) {
            self.stopped = reason;
            return Err(Trouble::Stop(Stop::ByGuard));
        }
        let most = if self.watch.collects_always { 1 } else { SLICE };
        let slice = self.watch.left.map_or(most, |left| left.min(most as u64) as i64);
        self.watch.granted = slice;
        self.heap.ticks = slice;
        Ok(())
    }

    /// Counts the steps of the slice that ends here.
    fn settle_steps(&mut self) {
        let unused = self.heap.ticks.max(0) + self.heap.laid_aside;
        let taken = (self.watch.granted - unused).max(0) as u64;
        self.watch.taken += taken;
        if let Some(left) = &mut self.watch.left {
            *left = left.saturating_sub(taken);
        }
        self.watch.granted = 0;
        self.heap.ticks = 0;
        self.heap.laid_aside = 0;
    }

    /// The steps that were taken since the machine was made.
    pub(crate) fn steps(&mut self) -> u64 {
        self.settle_steps();
        self.watch.taken
    }

    /// Sets what is left of the budget.
    pub(crate) fn set_budget(&mut self, budget: Option<u64>) {
        self.settle_steps();
        self.watch.left = budget;
    }

    pub(crate) fn budget(&mut self) -> Option<u64> {
        self.settle_steps();
        self.watch.left
    }

    /// The host's outermost call is over, and with it what it was asked to stop.
    pub(crate) fn forget_interrupt(&mut self) {
        self.watch.interrupt.store(false, Ordering::Relaxed);
    }

    /// Frees what nothing leads to. A safe point.
    pub(crate) fn collect(&mut self) {
        let classes = self.classes;
        for class in [
            classes.boolean,
            classes.class,
            classes.fiber,
            classes.function,
            classes.list,
            classes.map,
            classes.null,
            classes.number,
            classes.object,
            classes.range,
            classes.string,
        ] {
            self.heap.mark(class);
        }
        for global in &self.globals {
            self.heap.mark_word(*global);
        }
        for fiber in self.waiting.iter().chain(self.fiber.iter()) {
            self.heap.mark::<Fiber>(*fiber);
        }
        for stub in self.stubs.values() {
            self.heap.mark(*stub);
        }
        self.heap.mark_word(self.error);
        let roots = Arc::clone(&self.roots);
        roots.each(|word| self.heap.mark_word(word));
        self.heap.collect();
    }

    /// The collector is to run at the next safe point, whatever is in use.
    pub(crate) fn wants_collection(&mut self) {
        self.heap.make_due();
    }

    /// The interpreter's fiber is put back, and the collector has had its turn: is there room now?
    pub(crate) fn make_room(&mut self, fiber: Gc<Fiber>) -> bool {
        self.fiber = Some(fiber);
        self.collect();
        self.heap.has_room_for(self.wanted) && self.has_room_for_fiber()
    }
}
