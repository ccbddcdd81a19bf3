//! The host's own classes and methods, and how the machine calls them.

use super::{CORE, Machine, Stop};
use crate::{
    context::Context,
    heap::Gc,
    object::{Fiber, ModuleId},
    word::Word,
};
use std::{
    collections::HashMap,
    panic::{AssertUnwindSafe, catch_unwind, resume_unwind},
    sync::Arc,
};

/// Why a method of the host gives no value.
pub(crate) enum ForeignExit {
    Error(Word),
    /// A run in it was stopped.
    Stop(Stop),
    /// The fiber is to wait for the host.
    Suspend,
}

/// A method of the host: it gets the receiver and the arguments.
pub(crate) type ForeignMethod =
    Arc<dyn Fn(&mut Context<'_>, &[Word]) -> Result<Word, ForeignExit> + Send + Sync>;

/// What the host has, by name.
#[derive(Default)]
pub(crate) struct Registry {
    /// By module, class, and signature, with `static ` in front of those of the class.
    methods: HashMap<(String, String, String), u32>,
    /// The constructors of classes, by module and class.
    classes: HashMap<(String, String), u32>,
    all: Vec<ForeignMethod>,
}

impl Registry {
    pub(crate) fn add_method(&mut self, module: &str, class: &str, signature: &str, method: ForeignMethod) {
        self.methods
            .insert((module.to_owned(), class.to_owned(), signature.to_owned()), self.all.len() as u32);
        self.all.push(method);
    }

    pub(crate) fn add_class(&mut self, module: &str, class: &str, constructor: ForeignMethod) {
        self.classes.insert((module.to_owned(), class.to_owned()), self.all.len() as u32);
        self.all.push(constructor);
    }
}

impl Machine {
    pub(crate) fn foreign_class(&self, module: ModuleId, class: &str) -> Result<u32, String> {
        let name = self.modules[module.0 as usize].name();
        let known = self.foreign.classes.get(&(name.to_owned(), class.to_owned())).copied();
        known.ok_or_else(|| format!("Could not find foreign class '{class}' in module '{name}'."))
    }

    pub(crate) fn foreign_method(
        &mut self,
        module: ModuleId,
        class: &str,
        signature: &str,
    ) -> Result<u32, String> {
        let name = self.modules[module.0 as usize].name();
        let key = (name.to_owned(), class.to_owned(), signature.to_owned());
        let known = self.foreign.methods.get(&key).copied();
        known.ok_or_else(|| {
            format!("Could not find foreign method '{signature}' for class {class} in module '{name}'.")
        })
    }

    /// Calls a method of the host. The running fiber's place is put back; it and those that called it wait meanwhile.
    pub(crate) fn call_foreign(
        &mut self,
        fiber: Gc<Fiber>,
        method: u32,
        arguments: &[Word],
    ) -> Result<Word, ForeignExit> {
        let Some(method) = self.foreign.all.get(method as usize).map(Arc::clone) else {
            unreachable!("the registry only grows")
        };
        self.fiber = Some(fiber);
        let depth = self.waiting.len();
        let receiver = arguments.first().copied().unwrap_or(Word::NULL);
        let given = method(&mut Context::of_method(self, receiver), arguments);
        debug_assert_eq!(self.waiting.len(), depth);
        self.fiber = Some(fiber);
        given
    }

    /// Runs a fiber in the middle of what the running one does, if there is one.
    pub(crate) fn run_inside(&mut self, first: Gc<Fiber>) -> Result<super::Ended, super::Failure> {
        let around = self.fiber.take();
        let mut held = Vec::new();
        if let Some(around) = around {
            self.waiting.push(around);
            let mut at = Some(around);
            while let Some(fiber) = at {
                fiber.held_by_host.set(fiber.held_by_host.get() + 1);
                held.push(fiber);
                at = fiber.caller.get();
            }
        }
        // A panic of the host's goes on when the fibers are as they were; the one that it came through never runs again.
        let ended = catch_unwind(AssertUnwindSafe(|| self.run(first)));
        for fiber in held {
            fiber.held_by_host.set(fiber.held_by_host.get().saturating_sub(1));
        }
        if around.is_some() {
            self.waiting.pop();
        }
        self.fiber = around;
        ended.unwrap_or_else(|panic| resume_unwind(panic))
    }

    /// How many runs wait for each other.
    pub(crate) fn nesting(&self) -> usize {
        self.waiting.len()
    }

    /// The closure that calls a method: its receiver and arguments are in its slots.
    pub(crate) fn stub(&mut self, signature: &str, count: u8) -> Option<Gc<crate::object::Closure>> {
        let symbol = self.symbols.number(signature)?;
        if let Some(known) = self.stubs.get(&symbol) {
            return Some(*known);
        }
        let parts = crate::object::Parts {
            code: vec![crate::Op::Call.call(symbol, count), crate::Op::Return.with(0)],
            constants: Vec::new(),
            arity: count,
            slots: u32::from(count) + 1,
            upvalues: 0,
            module: CORE,
            lines: vec![0; 2].into_boxed_slice(),
            name: signature.into(),
            attributes: Box::default(),
        };
        let function = self.heap.alloc(crate::object::Function::new(parts));
        let closure = self.new_closure(function, Box::default());
        self.stubs.insert(symbol, closure);
        Some(closure)
    }
}
