//! How one fiber is left for another.
//!
//! The interpreter has put the running fiber's place back, with a slot on top for the result of what it called. After each of
//! these, [`Machine::fiber`] is the one that goes on; none, if the run ends here.

use super::{Machine, Signal};
use crate::{
    heap::Gc,
    object::{Fiber, FiberOp, State},
    word::Word,
};

/// How one is begun.
#[derive(Clone, Copy, PartialEq, Eq)]
enum By {
    Call,
    Try,
    Transfer,
}

impl By {
    /// As errors say it.
    fn verb(self) -> &'static str {
        match self {
            Self::Call => "call",
            Self::Try => "try",
            Self::Transfer => "transfer to",
        }
    }
}

impl Machine {
    pub(crate) fn switch(
        &mut self,
        running: Gc<Fiber>,
        op: FiberOp,
        receiver: Word,
        argument: Word,
    ) -> Result<(), Signal> {
        match op {
            FiberOp::Yield | FiberOp::YieldWith => {
                self.leave(running, if op == FiberOp::Yield { Word::NULL } else { argument });
                return Ok(());
            }
            FiberOp::Suspend => {
                running.is_suspended.set(true);
                self.fiber = None;
                return Ok(());
            }
            _ => {}
        }
        let Some(fiber) = receiver.get::<Fiber>() else { return self.fail("Receiver must be a fiber.") };
        match op {
            FiberOp::Call | FiberOp::CallWith => self.begin(running, fiber, argument, By::Call),
            FiberOp::Try | FiberOp::TryWith => self.begin(running, fiber, argument, By::Try),
            FiberOp::TransferError => {
                self.begin(running, fiber, Word::NULL, By::Transfer)?;
                fiber.error.set(argument);
                Ok(())
            }
            _ => self.begin(running, fiber, argument, By::Transfer),
        }
    }

    fn begin(&mut self, running: Gc<Fiber>, fiber: Gc<Fiber>, value: Word, by: By) -> Result<(), Signal> {
        let verb = by.verb();
        if fiber.has_error() {
            return self.fail(&format!("Cannot {verb} an aborted fiber."));
        }
        if by != By::Transfer {
            if fiber.caller.get().is_some() {
                return self.fail("Fiber has already been called.");
            }
            if fiber.state.get() == State::Root {
                return self.fail(&format!("Cannot {verb} root fiber."));
            }
        }
        if fiber.depth() == 0 {
            return self.fail(&format!("Cannot {verb} a finished fiber."));
        }
        if fiber.held_by_host.get() > 0 || fiber.is_awaiting.get() {
            return self.fail(&format!("Cannot {verb} a fiber that waits for a foreign method."));
        }
        if fiber == running {
            if by != By::Transfer {
                return self.fail("Fiber has already been called.");
            }
            // To itself: the value is what that gives.
            running.set_result(value);
            return Ok(());
        }
        if by != By::Transfer {
            fiber.caller.set(Some(running));
            fiber.state.set(if by == By::Try { State::Try } else { State::Other });
        }
        self.give(fiber, value);
        self.fiber = Some(fiber);
        Ok(())
    }

    /// Gives a fiber the value that it goes on with: its argument if it's new, the result of what it waits for otherwise.
    pub(crate) fn give(&mut self, fiber: Gc<Fiber>, value: Word) {
        fiber.is_suspended.set(false);
        fiber.is_awaiting.set(false);
        if !fiber.is_new() {
            return fiber.set_result(value);
        }
        fiber.set_started();
        if fiber.frame().is_some_and(|frame| frame.closure.function.arity > 0) {
            fiber.push(value);
        }
    }

    /// The running fiber yields a value to the one that called it. If nobody did, the run ends, and the host may resume it.
    fn leave(&mut self, running: Gc<Fiber>, value: Word) {
        let caller = running.take_caller();
        running.state.set(match running.state.get() {
            State::Root => State::Root,
            State::Try | State::Other => State::Other,
        });
        match caller {
            Some(caller) => caller.set_result(value),
            None => running.is_suspended.set(true),
        }
        self.fiber = caller;
    }
}
