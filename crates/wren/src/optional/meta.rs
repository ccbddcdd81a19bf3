//! `meta`: the compiler, for programs.

use crate::{
    compiler::What,
    context::Context,
    machine::{CORE, ForeignExit, Machine, Registry},
    object::{ModuleId, Text},
    word::Word,
};
use std::sync::Arc;

pub(super) fn register(registry: &mut Registry) {
    registry.add_method("meta", "Meta", "static compile_(_,_)", Arc::new(compile));
    registry.add_method("meta", "Meta", "static variables_(_)", Arc::new(variables));
}

/// The module whose code called `Meta`.
fn caller(machine: &Machine) -> ModuleId {
    let own = machine.module_ids.get("meta").copied();
    let frames = machine.fiber.map(|fiber| fiber.frames()).unwrap_or_default();
    let modules = frames.iter().map(|frame| frame.closure.function.module);
    modules.into_iter().find(|module| Some(*module) != own && *module != CORE).unwrap_or(CORE)
}

fn compile(context: &mut Context<'_>, args: &[Word]) -> Result<Word, ForeignExit> {
    let machine = context.machine();
    let Some(source) = args[1].get::<Text>() else { return Ok(Word::NULL) };
    let what = if args[2] == Word::TRUE { What::Expression } else { What::Module };
    let module = caller(machine);
    match machine.compile(module, &source.lossy(), what) {
        Ok(closure) => Ok(Word::object(closure)),
        Err(errors) => {
            machine.report(errors);
            Ok(Word::NULL)
        }
    }
}

fn variables(context: &mut Context<'_>, args: &[Word]) -> Result<Word, ForeignExit> {
    let machine = context.machine();
    let Some(name) = args[1].get::<Text>() else { return Ok(Word::NULL) };
    let Some(module) = machine.module_ids.get(&*name.lossy()).copied() else { return Ok(Word::NULL) };
    let names = machine.modules[module.0 as usize].names().to_vec();
    let names = names.iter().map(|name| machine.text(name)).collect();
    Ok(machine.new_list(names))
}
