//! `Fn`.

use super::{meta, method, primitives};
use crate::{
    machine::{Machine, Signal},
    object::{Closure, Method},
    word::Word,
};

/// So many arguments a call may have.
const MOST: usize = 16;

pub(super) fn bind(machine: &mut Machine) {
    let class = machine.classes.function;
    primitives(machine, meta(class), &[("new(_)", new)]);
    primitives(
        machine,
        class,
        &[
            ("arity", |_, args| {
                let arity = args[0].get::<Closure>().map_or(0, |closure| closure.function.arity);
                Ok(Word::number(f64::from(arity)))
            }),
            ("toString", |machine, _| Ok(machine.text("<fn>"))),
        ],
    );
    for count in 0..=MOST {
        let signature = format!("call({})", vec!["_"; count].join(","));
        method(machine, class, &signature, Method::Call);
    }
}

fn new(machine: &mut Machine, args: &[Word]) -> Result<Word, Signal> {
    if args[1].is::<Closure>() { Ok(args[1]) } else { machine.fail("Argument must be a function.") }
}
