//! `Fiber`. How one is left for another is [in the machine](crate::machine).

use super::{fiber_methods, meta, primitives};
use crate::{
    heap::Gc,
    machine::{Machine, Signal},
    object::{Closure, Fiber, FiberOp},
    word::Word,
};

pub(super) fn bind(machine: &mut Machine) {
    let class = machine.classes.fiber;
    primitives(
        machine,
        meta(class),
        &[
            ("new(_)", new),
            ("abort(_)", |machine, args| match args[1] {
                Word::NULL => Ok(Word::NULL),
                error => machine.fail_with(error),
            }),
            ("current", |machine, _| Ok(machine.fiber.map_or(Word::NULL, Word::object))),
        ],
    );
    fiber_methods(
        machine,
        meta(class),
        &[("suspend()", FiberOp::Suspend), ("yield()", FiberOp::Yield), ("yield(_)", FiberOp::YieldWith)],
    );
    primitives(
        machine,
        class,
        &[
            ("error", |machine, args| Ok(receiver(machine, args)?.error.get())),
            ("isDone", |machine, args| Ok(Word::boolean(receiver(machine, args)?.is_done()))),
        ],
    );
    fiber_methods(
        machine,
        class,
        &[
            ("call()", FiberOp::Call),
            ("call(_)", FiberOp::CallWith),
            ("try()", FiberOp::Try),
            ("try(_)", FiberOp::TryWith),
            ("transfer()", FiberOp::Transfer),
            ("transfer(_)", FiberOp::TransferWith),
            ("transferError(_)", FiberOp::TransferError),
        ],
    );
}

fn receiver(machine: &mut Machine, args: &[Word]) -> Result<Gc<Fiber>, Signal> {
    match args[0].get() {
        Some(fiber) => Ok(fiber),
        None => machine.fail("Receiver must be a fiber."),
    }
}

fn new(machine: &mut Machine, args: &[Word]) -> Result<Word, Signal> {
    let Some(closure) = args[1].get::<Closure>() else {
        return machine.fail("Argument must be a function.");
    };
    if closure.function.arity > 1 {
        return machine.fail("Function cannot take more than one parameter.");
    }
    machine.reserve_fiber()?;
    Ok(Word::object(machine.new_fiber(closure)))
}
