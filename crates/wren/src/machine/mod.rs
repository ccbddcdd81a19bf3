//! The machine: what runs the code.
//!
//! - [`link`] makes functions of what the compiler gives, of the instructions in [`code`].
//! - [`interpret`] runs a fiber; [`fibers`] is how one is left for another, [`failing`] how an error goes its way.
//! - [`classes`] makes classes, [`modules`] loads modules.
//! - [`watch`] is what happens at safe points: limits, interrupts, and the collector.
//!
//! # Who owns what
//! A machine owns its heap, and with it every object. It is one thread's at a time, and refers to nothing outside, so that it
//! may go to another thread between calls. The host holds [handles](crate::handle), which are numbers.
//!
//! # Runs
//! The host *runs* a fiber: [`Machine::run`] comes back when one ends that nobody called, or one suspends itself, or an error
//! goes uncaught. A foreign method may run another one in the middle of that. The fibers that wait for such a method can't
//! be transferred to, since the host's own stack stands between.

mod arithmetic;
mod classes;
pub(crate) mod code;
mod failing;
mod fibers;
mod foreign;
mod interpret;
mod link;
mod modules;
mod symbols;
mod watch;

pub(crate) use arithmetic::{shift_left, shift_right, to_u32};
pub(crate) use failing::{Failure, Frame as TraceFrame};
pub(crate) use foreign::{ForeignExit, ForeignMethod, Registry};
pub(crate) use interpret::{Ended, Signal};
pub(crate) use modules::{Host, ModuleState};
pub(crate) use watch::{Stop, Watch};

use crate::{
    handle::Roots,
    heap::{Gc, Heap},
    object::{Class, Closure, Fiber, Function, List, Map, ModuleId, Text, Upvalue},
    word::Word,
};
use std::{collections::HashMap, sync::Arc};
use symbols::Symbols;

/// The classes that the machine itself makes objects of.
#[derive(Clone, Copy)]
pub(crate) struct Classes {
    pub(crate) boolean: Gc<Class>,
    pub(crate) class: Gc<Class>,
    pub(crate) fiber: Gc<Class>,
    pub(crate) function: Gc<Class>,
    pub(crate) list: Gc<Class>,
    pub(crate) map: Gc<Class>,
    pub(crate) null: Gc<Class>,
    pub(crate) number: Gc<Class>,
    pub(crate) object: Gc<Class>,
    pub(crate) range: Gc<Class>,
    pub(crate) string: Gc<Class>,
}

pub(crate) struct Machine {
    pub(crate) heap: Heap,
    pub(crate) classes: Classes,
    pub(crate) symbols: Symbols,
    /// The variables of all modules.
    pub(crate) globals: Vec<Word>,
    pub(crate) modules: Vec<ModuleState>,
    pub(crate) module_ids: HashMap<String, ModuleId>,
    /// The one that was imported last, whose variables [`code::Code::ImportVariable`] takes.
    last_module: ModuleId,
    /// The one that runs.
    pub(crate) fiber: Option<Gc<Fiber>>,
    /// Those of the runs that wait for this one.
    waiting: Vec<Gc<Fiber>>,
    /// What [`Signal::Error`] is about.
    error: Word,
    /// What [`Signal::Memory`] is about.
    wanted: usize,
    /// Code that calls a method for the host, by its symbol.
    stubs: HashMap<u16, Gc<Closure>>,
    pub(crate) host: Host,
    pub(crate) foreign: foreign::Registry,
    pub(crate) watch: Watch,
    pub(crate) roots: Arc<Roots>,
    /// Most calls that may be under way in a fiber.
    pub(crate) max_depth: usize,
    /// Most fibers that may be there, apart from the host's own.
    max_fibers: usize,
    /// How deep sources may be nested.
    pub(crate) limits: crate::compiler::Limits,
    /// Why the host's guard stopped the program last.
    pub(crate) stopped: String,
    /// What was wrong with a module that could not be compiled, until it's told.
    pub(crate) compile_errors: Vec<crate::CompileError>,
    /// What the next generator of random numbers is seeded with.
    seed: u64,
}

// SAFETY: the machine's pointers lead to objects of its own heap, which go with it; what it has of the host is `Send`. The
// addresses are never shown to the outside.
unsafe impl Send for Machine {}

/// The module of the core classes.
pub(crate) const CORE: ModuleId = ModuleId(0);

impl Machine {
    pub(crate) fn new(settings: Settings) -> Self {
        let mut heap = Heap::new(settings.memory);
        let classes = classes::first(&mut heap);
        let mut machine = Self {
            heap,
            classes,
            symbols: Symbols::default(),
            globals: Vec::new(),
            modules: vec![ModuleState::core()],
            module_ids: HashMap::new(),
            last_module: CORE,
            fiber: None,
            waiting: Vec::new(),
            error: Word::NULL,
            wanted: 0,
            stubs: HashMap::new(),
            host: settings.host,
            foreign: settings.foreign,
            watch: settings.watch,
            roots: Arc::default(),
            max_depth: settings.max_depth,
            max_fibers: settings.max_fibers,
            limits: settings.limits,
            stopped: String::new(),
            compile_errors: Vec::new(),
            seed: settings.seed,
        };
        crate::core::fill(&mut machine);
        machine
    }

    // Objects.

    pub(crate) fn new_text(&mut self, bytes: impl Into<Box<[u8]>>) -> Word {
        let class = self.classes.string;
        Word::object(self.heap.alloc(Text::new(class, bytes.into())))
    }

    pub(crate) fn text(&mut self, text: &str) -> Word {
        self.new_text(text.as_bytes())
    }

    pub(crate) fn new_list(&mut self, items: Vec<Word>) -> Word {
        let class = self.classes.list;
        Word::object(self.heap.alloc(List::new(class, items)))
    }

    pub(crate) fn new_map(&mut self) -> Gc<Map> {
        let class = self.classes.map;
        self.heap.alloc(Map::new(class))
    }

    pub(crate) fn new_closure(
        &mut self,
        function: Gc<Function>,
        upvalues: Box<[Gc<Upvalue>]>,
    ) -> Gc<Closure> {
        let class = self.classes.function;
        self.heap.alloc(Closure::new(class, function, upvalues))
    }

    pub(crate) fn new_fiber(&mut self, closure: Gc<Closure>) -> Gc<Fiber> {
        let class = self.classes.fiber;
        self.heap.fibers += 1;
        self.heap.alloc(Fiber::new(class, closure))
    }

    #[inline(always)]
    pub(crate) fn class_of(&self, value: Word) -> Gc<Class> {
        if value.is_number() {
            return self.classes.number;
        }
        if let Some(object) = value.as_header() {
            return object.class().unwrap_or(self.classes.object);
        }
        match value {
            Word::TRUE | Word::FALSE => self.classes.boolean,
            _ => self.classes.null,
        }
    }

    /// A seed for a generator that was given none: another one each time.
    pub(crate) fn next_seed(&mut self) -> u64 {
        self.seed = self.seed.wrapping_mul(0x5851_f42d_4c95_7f2d).wrapping_add(0x1405_7b7e_f767_814f);
        self.seed ^ self.seed >> 33
    }

    // What primitives need.

    /// An error of the program, in words.
    pub(crate) fn fail<T>(&mut self, message: &str) -> Result<T, Signal> {
        self.error = self.text(message);
        Err(Signal::Error)
    }

    pub(crate) fn fail_with<T>(&mut self, error: Word) -> Result<T, Signal> {
        self.error = error;
        Err(Signal::Error)
    }

    /// So many bytes are about to be allocated. If that is too much, the collector runs and the primitive is called again:
    /// it must not have changed anything yet.
    #[inline]
    pub(crate) fn reserve(&mut self, bytes: usize) -> Result<(), Signal> {
        if self.heap.has_room_for(bytes) {
            return Ok(());
        }
        self.wanted = bytes;
        Err(Signal::Memory)
    }

    /// As [`reserve`](Self::reserve), for a fiber.
    pub(crate) fn reserve_fiber(&mut self) -> Result<(), Signal> {
        if self.has_room_for_fiber() {
            return self.reserve(512);
        }
        self.wanted = 0;
        Err(Signal::Memory)
    }

    pub(crate) fn has_room_for_fiber(&self) -> bool {
        self.heap.fibers < self.max_fibers
    }

    /// What is said where there was no room in the end.
    pub(crate) fn no_room(&mut self) -> Word {
        let message = if self.has_room_for_fiber() {
            failing::OUT_OF_MEMORY.to_owned()
        } else {
            format!("Too many fibers: there are {} already.", self.heap.fibers)
        };
        self.text(&message)
    }
}

/// What a machine is made with.
pub(crate) struct Settings {
    pub(crate) memory: usize,
    pub(crate) max_depth: usize,
    pub(crate) max_fibers: usize,
    pub(crate) limits: crate::compiler::Limits,
    pub(crate) host: Host,
    pub(crate) foreign: foreign::Registry,
    pub(crate) watch: Watch,
    pub(crate) seed: u64,
}
