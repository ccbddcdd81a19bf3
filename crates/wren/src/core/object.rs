//! `Object`, which every class inherits from.

use super::{class, meta, primitives};
use crate::{
    machine::{Machine, Signal},
    object::{self, Class},
    word::Word,
};

/// Also what `Class` has of its own, which is there as early.
pub(super) fn bind(machine: &mut Machine) {
    let classes = machine.classes;
    primitives(
        machine,
        classes.object,
        &[
            ("!", |_, _| Ok(Word::FALSE)),
            ("==(_)", |_, args| Ok(Word::boolean(object::same(args[0], args[1])))),
            ("!=(_)", |_, args| Ok(Word::boolean(!object::same(args[0], args[1])))),
            ("is(_)", is),
            ("toString", to_string),
            ("type", |machine, args| Ok(Word::object(machine.class_of(args[0])))),
        ],
    );
    classes.class.inherit(classes.object, 0, &mut machine.heap);
    class::bind_first(machine);
    let object_meta = meta(classes.object);
    object_meta.inherit(classes.class, 0, &mut machine.heap);
    primitives(
        machine,
        object_meta,
        &[("same(_,_)", |_, args| Ok(Word::boolean(object::same(args[1], args[2]))))],
    );
}

fn is(machine: &mut Machine, args: &[Word]) -> Result<Word, Signal> {
    let Some(wanted) = args[1].get::<Class>() else {
        return machine.fail("Right operand must be a class.");
    };
    let class = machine.class_of(args[0]);
    Ok(Word::boolean(class == wanted || class.is_subclass_of(wanted)))
}

fn to_string(machine: &mut Machine, args: &[Word]) -> Result<Word, Signal> {
    let class = machine.class_of(args[0]);
    let text = format!("instance of {}", class.name().lossy());
    Ok(machine.text(&text))
}
