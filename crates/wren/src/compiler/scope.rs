//! Variables: of functions, of those around them, and of the module; and the code that is emitted for them.
//!
//! A local lives in the slot of its number. One that an inner function uses is an upvalue there: each function between has
//! it as one of its own, so that each only knows the next one outside.

use super::{Compiler, signature::Signature, token::Kind};
use crate::bytecode::{Constant, Function, ModuleVariable, Op};
use std::collections::HashMap;

/// So many locals may be in scope at once, and so many upvalues in a function.
pub(super) const MAX_LOCALS: usize = 256;
const MAX_MODULE_VARIABLES: usize = 65_536;
const MAX_NAME: usize = 64;
/// What an operand counts.
const MAX_OPERAND: usize = 1 << 24;

/// The scope of a module's own variables.
const MODULE_SCOPE: i32 = -1;

pub(super) struct Local {
    name: String,
    scope: i32,
    is_captured: bool,
}

struct Upvalue {
    is_local: bool,
    index: u32,
}

/// A loop that is being compiled.
pub(super) struct LoopState {
    pub(super) start: usize,
    pub(super) scope: i32,
    /// The jumps behind it.
    pub(super) breaks: Vec<usize>,
}

/// What a method is part of.
pub(super) struct MethodState {
    pub(super) signature: Signature,
    pub(super) is_static: bool,
    pub(super) is_constructor: bool,
}

/// A function that is being compiled.
pub(super) struct FunctionState {
    pub(super) function: Function,
    pub(super) locals: Vec<Local>,
    upvalues: Vec<Upvalue>,
    pub(super) scope: i32,
    pub(super) loops: Vec<LoopState>,
    /// How many values are on the stack here.
    height: u32,
    /// The method that this is the body of.
    pub(super) method: Option<MethodState>,
    constants: HashMap<ConstantKey, u32>,
}

#[derive(PartialEq, Eq, Hash)]
enum ConstantKey {
    Number(u64),
    String(Vec<u8>),
}

impl FunctionState {
    fn new(method: Option<MethodState>, scope: i32) -> Self {
        // Slot 0: the receiver of a method, the closure of anything else.
        let first = if method.is_some() { "this" } else { "" };
        let locals = vec![Local { name: first.to_owned(), scope: MODULE_SCOPE, is_captured: false }];
        let function = Function { slots: 1, ..Function::default() };
        Self {
            function,
            locals,
            upvalues: Vec::new(),
            scope,
            loops: Vec::new(),
            height: 1,
            method,
            constants: HashMap::new(),
        }
    }

    pub(super) fn module() -> Self {
        Self::new(None, MODULE_SCOPE)
    }
}

/// Where a variable is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Place {
    Local(u32),
    Upvalue(u32),
    Module(u32),
}

impl Compiler<'_> {
    pub(super) fn state(&mut self) -> &mut FunctionState {
        match self.functions.last_mut() {
            Some(state) => state,
            None => unreachable!("the module's own function is there until the end"),
        }
    }

    // Code.

    /// Adds an instruction, after which there are so many more values on the stack.
    pub(super) fn emit(&mut self, word: u32, effect: i32) {
        let line = self.parser.previous.line;
        let state = self.state();
        state.function.code.push(word);
        state.function.lines.push(line);
        state.height = state.height.saturating_add_signed(effect);
        state.function.slots = state.function.slots.max(state.height);
    }

    /// Adds a jump, whose goal [`land`](Self::land) sets. Gives its place.
    pub(super) fn emit_jump(&mut self, op: Op, effect: i32) -> usize {
        self.emit(op.with(0), effect);
        self.state().function.code.len() - 1
    }

    /// The jump at `place` leads here.
    pub(super) fn land(&mut self, place: usize) {
        let state = self.state();
        let distance = state.function.code.len() - place - 1;
        let word = state.function.code[place];
        state.function.code[place] = Op::of(word).with(distance as u32);
        if distance >= MAX_OPERAND {
            self.parser.error("Too much code to jump over.");
        }
    }

    /// Where the next instruction will be.
    pub(super) fn here(&mut self) -> usize {
        self.state().function.code.len()
    }

    /// Goes back to `start`.
    pub(super) fn emit_loop(&mut self, start: usize) {
        let distance = self.here() - start + 1;
        if distance >= MAX_OPERAND {
            self.parser.error("Loop body is too large.");
        }
        self.emit(Op::Loop.with(distance as u32), 0);
    }

    pub(super) fn constant(&mut self, constant: Constant) -> u32 {
        let key = match &constant {
            Constant::Number(number) => Some(ConstantKey::Number(number.to_bits())),
            Constant::String(text) => Some(ConstantKey::String(text.clone())),
            Constant::Superclass | Constant::Function(_) | Constant::Attributes(_) => None,
        };
        let state = self.state();
        if let Some(known) = key.as_ref().and_then(|key| state.constants.get(key)) {
            return *known;
        }
        let index = state.function.constants.len();
        if index >= MAX_OPERAND {
            self.parser.fatal("A function may have at most 16777216 constants.");
            return 0;
        }
        state.function.constants.push(constant);
        if let Some(key) = key {
            state.constants.insert(key, index as u32);
        }
        index as u32
    }

    pub(super) fn emit_constant(&mut self, constant: Constant) {
        let index = self.constant(constant);
        self.emit(Op::Constant.with(index), 1);
    }

    pub(super) fn emit_text(&mut self, text: &str) {
        self.emit_constant(Constant::String(text.as_bytes().to_vec()));
    }

    // Functions.

    pub(super) fn begin_function(&mut self, method: Option<MethodState>) {
        self.functions.push(FunctionState::new(method, 0));
    }

    /// Ends the innermost function, and has the one around it make a closure of it.
    pub(super) fn end_function(&mut self, name: String) {
        let Some(mut ended) = self.functions.pop() else { return };
        ended.function.name = name;
        ended.function.upvalues = ended.upvalues.len() as u32;
        let constant = self.constant(Constant::Function(Box::new(ended.function)));
        self.emit(Op::Closure.with(constant), 1);
        for upvalue in ended.upvalues {
            self.emit(upvalue.index << 1 | u32::from(upvalue.is_local), 0);
        }
    }

    // Scopes.

    pub(super) fn begin_scope(&mut self) {
        self.state().scope += 1;
    }

    pub(super) fn end_scope(&mut self) {
        let scope = self.state().scope;
        let count = self.discard_locals(scope);
        let state = self.state();
        let left = state.locals.len() - count;
        state.locals.truncate(left);
        state.height = state.height.saturating_sub(count as u32);
        state.scope -= 1;
    }

    /// Takes the locals from `scope` on off the stack, and keeps them known: for a jump out of there, too. Gives how many.
    pub(super) fn discard_locals(&mut self, scope: i32) -> usize {
        let ops: Vec<_> = self
            .state()
            .locals
            .iter()
            .rev()
            .take_while(|local| local.scope >= scope)
            .map(|local| if local.is_captured { Op::CloseUpvalue } else { Op::Pop })
            .collect();
        for op in &ops {
            self.emit(op.with(0), 0);
        }
        ops.len()
    }

    /// A name that is to be a variable, which is read now.
    pub(super) fn declare_name(&mut self) -> u32 {
        self.parser.expect(Kind::Name, "Expect variable name.");
        self.declare_previous()
    }

    /// The word that was read last is to be a variable.
    pub(super) fn declare_previous(&mut self) -> u32 {
        let name = self.parser.previous_text();
        self.declare_checked(name)
    }

    /// A name, which may be too long for one, is to be a variable.
    pub(super) fn declare_checked(&mut self, name: String) -> u32 {
        if name.len() > MAX_NAME {
            self.parser.error(&format!("Variable name cannot be longer than {MAX_NAME} characters."));
        }
        self.declare(name)
    }

    /// Declares a variable where the code is: of the module at its top, a local otherwise. What is on the stack is its value
    /// when it's [defined](Self::define).
    pub(super) fn declare(&mut self, name: String) -> u32 {
        if self.state().scope == MODULE_SCOPE {
            return self.declare_in_module(name);
        }
        if self.local_in_scope(&name).is_some() {
            self.parser.error("Variable is already declared in this scope.");
        }
        self.add_local(name)
    }

    /// The local of this name that was declared in the scope where the code is.
    pub(super) fn local_in_scope(&mut self, name: &str) -> Option<usize> {
        let state = self.state();
        let scope = state.scope;
        let from = state.locals.iter().rposition(|local| local.scope < scope).map_or(0, |place| place + 1);
        state.locals[from..].iter().position(|local| local.name == name).map(|place| from + place)
    }

    pub(super) fn add_local(&mut self, name: String) -> u32 {
        if self.state().locals.len() >= MAX_LOCALS {
            self.parser.error(&format!("Cannot declare more than {MAX_LOCALS} variables in one scope."));
            return 0;
        }
        let state = self.state();
        state.locals.push(Local { name, scope: state.scope, is_captured: false });
        state.locals.len() as u32 - 1
    }

    fn declare_in_module(&mut self, name: String) -> u32 {
        if !self.is_core && super::CORE.contains(&name.as_str()) {
            self.parser.error("Module variable is already defined.");
            return self.module_variable(&name);
        }
        if let Some(&index) = self.variable_ids.get(&name) {
            let used = self.variables[index as usize].1.take();
            match used {
                None => self.parser.error("Module variable is already defined."),
                // A function may use what is defined behind it, if that's named as classes are.
                Some(first) if is_local_name(&name) => self.parser.error(&format!(
                    "Variable '{name}' referenced before this definition (first use at line {first})."
                )),
                Some(_) => {}
            }
            return index;
        }
        self.add_variable(name, None)
    }

    pub(super) fn add_variable(&mut self, name: String, used: Option<u32>) -> u32 {
        if self.variables.len() >= MAX_MODULE_VARIABLES {
            self.parser.error("Too many module variables defined.");
            return 0;
        }
        let index = self.variables.len() as u32;
        self.variables.push((ModuleVariable { name: name.clone() }, used));
        self.variable_ids.insert(name, index);
        index
    }

    /// The value on the stack is that of the variable. A local's has its slot there already.
    pub(super) fn define(&mut self, index: u32) {
        if self.state().scope == MODULE_SCOPE {
            self.emit(Op::StoreModule.with(index), 0);
            self.emit(Op::Pop.with(0), -1);
        }
    }

    /// Where the variable is that a name means: of a function, if one knows it.
    pub(super) fn resolve(&mut self, name: &str) -> Option<Place> {
        let innermost = self.functions.len() - 1;
        self.resolve_in(innermost, name)
    }

    fn resolve_in(&mut self, function: usize, name: &str) -> Option<Place> {
        if let Some(local) = self.find_local(function, name) {
            return Some(Place::Local(local));
        }
        // Outwards, up to the function that has it as a local. Methods see no locals of what is around their class, but
        // the static fields of the class, which lie around them.
        let mut outer = function;
        let index = loop {
            let is_method = self.functions[outer].method.is_some();
            if outer == 0 || (is_method && !name.starts_with("__")) {
                return None;
            }
            outer -= 1;
            if let Some(local) = self.find_local(outer, name) {
                break local;
            }
        };
        self.functions[outer].locals[index as usize].is_captured = true;
        let mut upvalue = self.add_upvalue(outer + 1, true, index);
        for inner in outer + 2..=function {
            upvalue = self.add_upvalue(inner, false, upvalue);
        }
        Some(Place::Upvalue(upvalue))
    }

    fn find_local(&self, function: usize, name: &str) -> Option<u32> {
        self.functions[function].locals.iter().rposition(|local| local.name == name).map(|index| index as u32)
    }

    fn add_upvalue(&mut self, function: usize, is_local: bool, index: u32) -> u32 {
        let upvalues = &mut self.functions[function].upvalues;
        let known =
            upvalues.iter().position(|upvalue| upvalue.is_local == is_local && upvalue.index == index);
        if let Some(known) = known {
            return known as u32;
        }
        upvalues.push(Upvalue { is_local, index });
        let count = upvalues.len();
        if count > MAX_LOCALS {
            self.parser.error(&format!(
                "A function cannot use more than {MAX_LOCALS} variables of those around it."
            ));
        }
        count as u32 - 1
    }

    /// The variable of the module of this name, which may be defined later.
    pub(super) fn module_variable(&mut self, name: &str) -> u32 {
        match self.variable_ids.get(name) {
            Some(&index) => index,
            None => {
                let line = self.parser.previous.line;
                self.add_variable(name.to_owned(), Some(line))
            }
        }
    }

    pub(super) fn load(&mut self, place: Place) {
        let word = match place {
            Place::Local(index) => Op::LoadLocal.with(index),
            Place::Upvalue(index) => Op::LoadUpvalue.with(index),
            Place::Module(index) => Op::LoadModule.with(index),
        };
        self.emit(word, 1);
    }

    pub(super) fn store(&mut self, place: Place) {
        let word = match place {
            Place::Local(index) => Op::StoreLocal.with(index),
            Place::Upvalue(index) => Op::StoreUpvalue.with(index),
            Place::Module(index) => Op::StoreModule.with(index),
        };
        self.emit(word, 0);
    }

    /// A class that every module knows.
    pub(super) fn load_core(&mut self, name: &str) {
        let index = self.module_variable(name);
        self.load(Place::Module(index));
    }

    /// The height of the stack, for code after a jump.
    pub(super) fn height(&mut self) -> u32 {
        self.state().height
    }

    pub(super) fn set_height(&mut self, height: u32) {
        self.state().height = height;
    }
}

/// Whether a name is one of variables and methods, and not of a class.
pub(super) fn is_local_name(name: &str) -> bool {
    name.starts_with(|first: char| first.is_ascii_lowercase())
}
