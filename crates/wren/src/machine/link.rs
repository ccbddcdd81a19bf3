//! Makes functions of what the compiler gives: its numbers of symbols and variables become the machine's, and its instructions
//! the interpreter's.

use super::{Machine, code::Code};
use crate::{
    bytecode::{self, Constant, Op, call_operands, operand},
    heap::Gc,
    object::{Class, Closure, Function, ModuleId, Parts},
    word::Word,
};

/// So many variables all modules of a machine may have together: what an instruction can name.
const MOST_GLOBALS: usize = 1 << 24;

/// What the compiler's numbers stand for.
struct Numbers {
    symbols: Vec<u16>,
    globals: Vec<u32>,
    module: ModuleId,
    operators: Operators,
}

impl Machine {
    /// Makes a closure of a module's code. An error, in words, if there are too many names.
    pub(crate) fn link(
        &mut self,
        module: ModuleId,
        compiled: &bytecode::Module,
    ) -> Result<Gc<Closure>, String> {
        let symbols = compiled
            .symbols
            .iter()
            .map(|signature| self.symbols.number(signature))
            .collect::<Option<Vec<_>>>()
            .ok_or("The modules use more than 65536 method signatures.")?;
        let mut globals = Vec::with_capacity(compiled.variables.len());
        for variable in &compiled.variables {
            globals.push(self.global(module, &variable.name)?);
        }
        let operators = Operators::of(self);
        let numbers = Numbers { symbols, globals, module, operators };
        let function = self.link_function(&compiled.main, &numbers);
        Ok(self.new_closure(function, Box::default()))
    }

    /// The place of a module's variable: of a core class, if the name is that of one.
    fn global(&mut self, module: ModuleId, name: &str) -> Result<u32, String> {
        if let Some(known) = self.variable_place(module, name) {
            return Ok(known);
        }
        if self.globals.len() >= MOST_GLOBALS {
            return Err("The modules have more than 16777216 variables.".to_owned());
        }
        let place = self.globals.len() as u32;
        self.globals.push(Word::NULL);
        self.modules[module.0 as usize].add(name, place);
        Ok(place)
    }

    fn link_function(&mut self, function: &bytecode::Function, numbers: &Numbers) -> Gc<Function> {
        let mut attributes = Vec::new();
        let mut constants = Vec::with_capacity(function.constants.len());
        for constant in &function.constants {
            constants.push(match constant {
                Constant::Superclass => Word::NULL,
                Constant::Number(number) => Word::number(*number),
                Constant::String(text) => self.new_text(text.as_slice()),
                // Depth is bounded: the compiler's limit holds for functions in each other, too.
                Constant::Function(inner) => Word::object(self.link_function(inner, numbers)),
                Constant::Attributes(of_class) => {
                    attributes.push((**of_class).clone());
                    Word::number((attributes.len() - 1) as f64)
                }
            });
        }
        let mut code = function.code.clone();
        let places = instructions(code.len(), |at| code[at], |index| constants.get(index).copied());
        renumber(&mut code, &places, numbers);
        combine(&mut code, &places, &numbers.operators);
        let parts = Parts {
            code,
            constants,
            arity: function.arity,
            slots: function.slots,
            upvalues: function.upvalues,
            module: numbers.module,
            lines: function.lines.as_slice().into(),
            name: function.name.as_str().into(),
            attributes: attributes.into_boxed_slice(),
        };
        self.heap.alloc(Function::new(parts))
    }

    /// Makes a method's code that of a class: its fields begin behind those of the superclass, which `super` is then. The same
    /// code becomes that of several classes where a class is defined in a loop or a function; it's copied if they differ.
    pub(crate) fn bind_code(&mut self, closure: Gc<Closure>, class: Gc<Class>) -> Gc<Closure> {
        let Some(superclass) = class.superclass() else { return closure };
        let function = closure.function;
        match function.bound() {
            None => self.patch(function, superclass),
            Some(bound) if bound == superclass => {}
            Some(_) => {
                let copy = self.copy(function);
                self.patch(copy, superclass);
                return self.new_closure(copy, closure.upvalues());
            }
        }
        closure
    }

    /// Makes code that of a superclass's heirs, and the code in it: of those of none before, or of another's.
    fn patch(&mut self, function: Gc<Function>, superclass: Gc<Class>) {
        let before = function.bound().map_or(0, |bound| bound.fields());
        let offset = superclass.fields() as i64 - before as i64;
        function.set_bound(superclass);
        let code = function.code();
        for at in instructions_of(function) {
            let word = code[at].get();
            match Code::of(word) {
                Code::LoadThisField
                | Code::StoreThisField
                | Code::StoreThisFieldPop
                | Code::CallThisField
                | Code::LoadField
                | Code::StoreField => {
                    let index = (i64::from(operand(word)) + offset) as u32;
                    code[at].set(index << 8 | word & 0xff);
                }
                Code::SuperCall => {
                    let constant = code[at + 1].get() as usize;
                    function.constants()[constant].set(Word::object(superclass));
                }
                Code::Closure => {
                    let inner = function.constants()[operand(word) as usize].get().get::<Function>();
                    if let Some(inner) = inner {
                        self.patch(inner, superclass);
                    }
                }
                _ => {}
            }
        }
    }

    /// The same code once more, with the code in it.
    fn copy(&mut self, function: Gc<Function>) -> Gc<Function> {
        let mut parts = function.parts();
        for constant in &mut parts.constants {
            if let Some(inner) = constant.get::<Function>() {
                *constant = Word::object(self.copy(inner));
            }
        }
        let copy = self.heap.alloc(Function::new(parts));
        if let Some(bound) = function.bound() {
            copy.set_bound(bound);
        }
        copy
    }
}

/// Where the instructions of a function begin, given its words and its constants.
fn instructions(
    count: usize,
    word: impl Fn(usize) -> u32,
    constant: impl Fn(usize) -> Option<Word>,
) -> Vec<usize> {
    let mut places = Vec::with_capacity(count);
    let mut at = 0;
    while at < count {
        places.push(at);
        at += match Code::of(word(at)) {
            Code::SuperCall => 2,
            // A word for each upvalue follows.
            Code::Closure => {
                let inner = constant(operand(word(at)) as usize).and_then(|inner| inner.get::<Function>());
                1 + inner.map_or(0, |inner| inner.upvalues as usize)
            }
            _ => 1,
        };
    }
    places
}

/// As [`instructions`], of a function that is made.
fn instructions_of(function: Gc<Function>) -> Vec<usize> {
    let (code, constants) = (function.code(), function.constants());
    instructions(code.len(), |at| code[at].get(), |index| constants.get(index).map(std::cell::Cell::get))
}

/// The compiler's numbers become the machine's.
fn renumber(code: &mut [u32], places: &[usize], numbers: &Numbers) {
    for &at in places {
        let word = code[at];
        let op = Op::of(word);
        match op {
            Op::Call | Op::SuperCall => {
                let (arguments, symbol) = call_operands(word);
                let symbol = numbers.symbols[symbol as usize];
                let renumbered = op.call(symbol, arguments);
                let operator = if op == Op::Call { numbers.operators.code(symbol) } else { None };
                code[at] = operator.map_or(renumbered, |own| own.in_place_of(renumbered));
            }
            Op::Method | Op::StaticMethod => {
                code[at] = op.with(u32::from(numbers.symbols[operand(word) as usize]));
            }
            Op::LoadModule | Op::StoreModule => {
                code[at] = op.with(numbers.globals[operand(word) as usize]);
            }
            _ => {}
        }
    }
}

/// Puts combined instructions where they fit.
fn combine(code: &mut [u32], places: &[usize], operators: &Operators) {
    let plain: Vec<u32> = code.to_vec();
    for (index, &at) in places.iter().enumerate() {
        let next = |n: usize| places.get(index + n).map(|&place| Code::of(plain[place]));
        let combined = match (Code::of(plain[at]), next(1)) {
            (Code::LoadLocal, Some(Code::LoadLocal)) if is_for(&plain, &places[index..], operators) => {
                Some(Code::ForNext)
            }
            (Code::LoadLocal, Some(Code::LoadLocal)) if next(2) == Some(Code::Add) => Some(Code::AddLocals),
            (Code::LoadLocal, Some(Code::Constant)) => match next(2) {
                Some(Code::Add) => Some(Code::AddLocalConstant),
                Some(Code::Subtract) => Some(Code::SubtractLocalConstant),
                _ => Some(Code::LoadLocalConstant),
            },
            (Code::LoadLocal, Some(Code::LoadLocal)) => Some(Code::LoadLocals),
            (Code::LoadLocal, Some(Code::Call)) if is_getter(plain[at + 1]) => Some(Code::CallLocal),
            (Code::LoadThisField, Some(Code::Call)) if is_getter(plain[at + 1]) => Some(Code::CallThisField),
            (Code::Less, Some(Code::JumpIf)) => Some(Code::LessJump),
            (Code::LessEqual, Some(Code::JumpIf)) => Some(Code::LessEqualJump),
            (Code::Greater, Some(Code::JumpIf)) => Some(Code::GreaterJump),
            (Code::GreaterEqual, Some(Code::JumpIf)) => Some(Code::GreaterEqualJump),
            (Code::Equal, Some(Code::JumpIf)) => Some(Code::EqualJump),
            (Code::NotEqual, Some(Code::JumpIf)) => Some(Code::NotEqualJump),
            (Code::StoreLocal, Some(Code::Pop)) => Some(Code::StoreLocalPop),
            (Code::StoreModule, Some(Code::Pop)) => Some(Code::StoreModulePop),
            (Code::StoreThisField, Some(Code::Pop)) => Some(Code::StoreThisFieldPop),
            _ => None,
        };
        if let Some(combined) = combined {
            code[at] = combined.in_place_of(plain[at]);
        }
    }
}

/// Whether a call has no arguments.
fn is_getter(word: u32) -> bool {
    call_operands(word).0 == 0
}

/// Whether what begins here are the words at the head of a `for`.
fn is_for(code: &[u32], places: &[usize], operators: &Operators) -> bool {
    const HEAD: [Code; 8] = [
        Code::LoadLocal,
        Code::LoadLocal,
        Code::Call,
        Code::StoreLocal,
        Code::JumpIf,
        Code::LoadLocal,
        Code::LoadLocal,
        Code::Call,
    ];
    if places.len() < HEAD.len() {
        return false;
    }
    let words: Vec<u32> = places[..HEAD.len()].iter().map(|&place| code[place]).collect();
    let is_alike = words.iter().zip(HEAD).all(|(word, head)| Code::of(*word) == head);
    // Whoever wrote it: the words mean the same.
    is_alike
        && operand(words[0]) == operand(words[5])
        && operand(words[1]) == operand(words[3])
        && operand(words[1]) == operand(words[6])
        && call_operands(words[2]) == (1, operators.iterate)
        && call_operands(words[7]) == (1, operators.iterator_value)
}

/// The symbols of the operators that have instructions of their own.
struct Operators {
    codes: Vec<(u16, Code)>,
    iterate: u16,
    iterator_value: u16,
}

impl Operators {
    fn of(machine: &mut Machine) -> Self {
        const SIGNATURES: &[(&str, Code)] = &[
            ("+(_)", Code::Add),
            ("-(_)", Code::Subtract),
            ("*(_)", Code::Multiply),
            ("/(_)", Code::Divide),
            ("%(_)", Code::Remainder),
            ("<(_)", Code::Less),
            ("<=(_)", Code::LessEqual),
            (">(_)", Code::Greater),
            (">=(_)", Code::GreaterEqual),
            ("==(_)", Code::Equal),
            ("!=(_)", Code::NotEqual),
            ("&(_)", Code::BitAnd),
            ("|(_)", Code::BitOr),
            ("^(_)", Code::BitXor),
            ("<<(_)", Code::ShiftLeft),
            (">>(_)", Code::ShiftRight),
            ("-", Code::Negate),
            ("!", Code::Not),
            ("[_]", Code::Subscript),
            ("[_]=(_)", Code::SubscriptSet),
        ];
        let numbered = SIGNATURES
            .iter()
            .filter_map(|(signature, code)| machine.symbols.number(signature).map(|symbol| (symbol, *code)));
        let codes = numbered.collect();
        let iterate = machine.symbols.number("iterate(_)").unwrap_or_default();
        let iterator_value = machine.symbols.number("iteratorValue(_)").unwrap_or_default();
        Self { codes, iterate, iterator_value }
    }

    fn code(&self, symbol: u16) -> Option<Code> {
        self.codes.iter().find(|(own, _)| *own == symbol).map(|(_, code)| *code)
    }
}
