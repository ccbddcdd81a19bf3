//! How an error goes its way: from the fiber that it happens in to the one that began a `try`, or out to the host.

use super::{CORE, Machine, Stop};
use crate::{
    heap::Gc,
    object::{Fiber, State, Text},
    word::Word,
};

pub(crate) const OUT_OF_MEMORY: &str = "Out of memory.";
pub(crate) const STACK_OVERFLOW: &str = "Stack overflow.";

/// A call that was under way.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Frame {
    pub(crate) module: String,
    pub(crate) line: u32,
    pub(crate) function: String,
}

/// An error that nobody caught.
pub(crate) struct Failure {
    pub(crate) stop: Option<Stop>,
    /// Null if the run was stopped.
    pub(crate) error: Word,
    pub(crate) trace: Vec<Frame>,
}

impl Machine {
    /// An error happens in a fiber, which doesn't run on. If one began it by `try`, that one gets the error and is the next
    /// to run.
    #[cold]
    pub(crate) fn raise(&mut self, fiber: Gc<Fiber>, error: Word) -> Result<(), Failure> {
        self.unwind(fiber, error, None)
    }

    /// The run is stopped; no `try` changes that.
    #[cold]
    pub(crate) fn stop(&mut self, fiber: Gc<Fiber>, stop: Stop) -> Failure {
        let message = match stop {
            Stop::Interrupted => "Interrupted.",
            Stop::OutOfSteps => "Out of steps.",
            Stop::ByGuard => "Stopped.",
        };
        let error = self.text(message);
        match self.unwind(fiber, error, Some(stop)) {
            Err(failure) => failure,
            Ok(()) => unreachable!("no fiber catches a stop"),
        }
    }

    fn unwind(&mut self, fiber: Gc<Fiber>, error: Word, stop: Option<Stop>) -> Result<(), Failure> {
        let trace = self.trace(fiber);
        let mut at = Some(fiber);
        while let Some(failed) = at {
            let caller = failed.take_caller();
            let is_caught = failed.state.get() == State::Try && stop.is_none();
            failed.error.set(error);
            failed.end();
            if let (true, Some(caller)) = (is_caught, caller) {
                caller.set_result(error);
                self.fiber = Some(caller);
                return Ok(());
            }
            at = caller;
        }
        self.fiber = None;
        Err(Failure { stop, error, trace })
    }

    /// The calls that are under way in a fiber, without those of the core classes.
    pub(crate) fn trace(&self, fiber: Gc<Fiber>) -> Vec<Frame> {
        let frames = fiber.frames();
        let shown = frames.iter().filter(|frame| frame.closure.function.module != CORE);
        shown
            .map(|frame| {
                let function = frame.closure.function;
                Frame {
                    module: self.modules[function.module.0 as usize].name().to_owned(),
                    line: function.line_before(frame.ip),
                    function: function.name.to_string(),
                }
            })
            .collect()
    }

    /// What an error says; one that is no string is shown as Wren does it.
    pub(crate) fn error_text(&self, error: Word) -> String {
        error.get::<Text>().map_or_else(|| "[error object]".to_owned(), |text| text.lossy().into_owned())
    }
}
