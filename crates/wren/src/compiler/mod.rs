//! The compiler: one pass over a source, from words to bytecode.
//!
//! - [`lexer`] makes words of the source, [`parser`] holds the words and the errors.
//! - [`scope`] knows the variables: of functions, of those around them, of the module.
//! - [`expression`], [`statement`] and [`class`] each parse their part of the language and emit its code as they go.
//!
//! Errors have the words of Wren 0.4's own compiler. It goes on after one, so that there may be several; a few are fatal, of
//! sources that no person wrote.

mod class;
mod expression;
mod lexer;
mod parser;
mod scope;
mod signature;
mod statement;
mod token;

use crate::{
    bytecode::{Function, Module, ModuleVariable, Op},
    error::CompileError,
};
use parser::Parser;
use std::collections::HashMap;

/// How much of a source a compiler takes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// How deep expressions, blocks and functions may lie in each other; 256 unless it's set. Deeper ones need stack.
    pub depth: usize,
    /// How many errors are told; 100 unless it's set.
    pub errors: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self { depth: 256, errors: 100 }
    }
}

/// What every module knows of itself.
const CORE: &[&str] = &[
    "Bool",
    "Class",
    "ClassAttributes",
    "Fiber",
    "Fn",
    "List",
    "Map",
    "MapEntry",
    "MapKeySequence",
    "MapSequence",
    "MapValueSequence",
    "Null",
    "Num",
    "Object",
    "Range",
    "Sequence",
    "SkipSequence",
    "String",
    "StringByteSequence",
    "StringCodePointSequence",
    "System",
    "TakeSequence",
    "WhereSequence",
];

/// Compiles the source of a module of this name, which knows Wren's core classes and nothing else.
///
/// # Errors
/// Each thing that Wren's compiler refuses, in the order in which they stand.
///
/// See the [crate](crate) for an example.
pub fn compile(module: &str, source: &str) -> Result<Module, Vec<CompileError>> {
    compile_within(module, source, &[], Limits::default())
}

/// As [`compile`], of a module that has variables already, as a session has that goes on line by line.
///
/// # Errors
/// As [`compile`].
///
/// ```
/// let limits = wren::Limits::default();
/// let module = wren::compile_within("main", "System.print(known)", &["known"], limits).unwrap();
/// assert_eq!(module.variables[0].name, "known");
/// ```
pub fn compile_within(
    module: &str,
    source: &str,
    known: &[&str],
    limits: Limits,
) -> Result<Module, Vec<CompileError>> {
    compile_as(module, source, known, limits, What::Module)
}

/// What a source is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum What {
    /// The core classes themselves, which may define what every module knows.
    Core,
    Module,
    /// One expression, whose value the code returns.
    Expression,
}

pub(crate) fn compile_as(
    module: &str,
    source: &str,
    known: &[&str],
    limits: Limits,
    what: What,
) -> Result<Module, Vec<CompileError>> {
    let mut compiler = Compiler::new(module, source, known, limits);
    compiler.is_core = what == What::Core;
    match what {
        What::Core | What::Module => compiler.module(),
        What::Expression => compiler.lone_expression(),
    }
    compiler.finish()
}

struct Compiler<'a> {
    parser: Parser<'a>,
    /// Those of the module, with the line of the first use where there was no definition yet.
    variables: Vec<(ModuleVariable, Option<u32>)>,
    variable_ids: HashMap<String, u32>,
    symbols: Vec<String>,
    symbol_ids: HashMap<String, u16>,
    /// The functions that are being compiled, the innermost last.
    functions: Vec<scope::FunctionState>,
    /// The classes that are being compiled, the innermost last.
    classes: Vec<class::ClassState>,
    depth: usize,
    limits: Limits,
    is_core: bool,
}

impl<'a> Compiler<'a> {
    fn new(module: &str, source: &'a str, known: &[&str], limits: Limits) -> Self {
        let mut compiler = Self {
            parser: Parser::new(module, source, limits.errors),
            variables: Vec::new(),
            variable_ids: HashMap::new(),
            symbols: Vec::new(),
            symbol_ids: HashMap::new(),
            functions: vec![scope::FunctionState::module()],
            classes: Vec::new(),
            depth: 0,
            limits,
            is_core: false,
        };
        for name in known {
            compiler.add_variable((*name).to_owned(), None);
        }
        compiler
    }

    fn module(&mut self) {
        self.parser.skip_lines();
        while !self.parser.take(token::Kind::Eof) {
            self.definition();
            // The end of the source ends a line as well.
            if !self.parser.take_line() {
                self.parser.expect(token::Kind::Eof, "Expect end of file.");
                break;
            }
        }
        self.emit(Op::EndModule.with(0), 1);
        self.emit(Op::Return.with(0), -1);
        self.check_variables();
    }

    fn lone_expression(&mut self) {
        self.parser.skip_lines();
        self.expression();
        self.parser.skip_lines();
        self.parser.expect(token::Kind::Eof, "Expect end of expression.");
        self.emit(Op::Return.with(0), -1);
        self.check_variables();
    }

    /// What was used must have been defined by the end.
    fn check_variables(&mut self) {
        let undefined: Vec<_> = self
            .variables
            .iter()
            .filter(|(variable, _)| !CORE.contains(&variable.name.as_str()))
            .filter_map(|(variable, used)| used.map(|line| (line, variable.name.clone())))
            .collect();
        for (line, name) in undefined {
            self.parser.error_at_line(line, &format!("Error at '{name}': Variable is used but not defined."));
        }
    }

    fn finish(mut self) -> Result<Module, Vec<CompileError>> {
        let main = self.functions.pop().map(|state| state.function).unwrap_or_default();
        let errors = self.parser.into_errors();
        if !errors.is_empty() {
            return Err(errors);
        }
        let variables = self.variables.into_iter().map(|(variable, _)| variable).collect();
        Ok(Module {
            main: Function { name: "(script)".to_owned(), ..main },
            variables,
            symbols: self.symbols,
        })
    }

    /// One level deeper in the source. `false` where that's too deep, and then all is over.
    fn enter(&mut self) -> bool {
        self.depth += 1;
        if self.depth <= self.limits.depth {
            return true;
        }
        self.parser.fatal(&format!("The source is nested more than {} levels deep.", self.limits.depth));
        false
    }

    fn leave(&mut self) {
        self.depth -= 1;
    }

    /// The number of a method's signature.
    fn symbol(&mut self, signature: &str) -> u16 {
        if let Some(&symbol) = self.symbol_ids.get(signature) {
            return symbol;
        }
        let Ok(symbol) = u16::try_from(self.symbols.len()) else {
            self.parser.fatal("A module may use at most 65536 method signatures.");
            return 0;
        };
        self.symbols.push(signature.to_owned());
        self.symbol_ids.insert(signature.to_owned(), symbol);
        symbol
    }

    /// Calls a method of as many arguments as are on the stack, behind the receiver.
    fn emit_call(&mut self, signature: &str, arguments: u8) {
        let symbol = self.symbol(signature);
        self.emit(Op::Call.call(symbol, arguments), -i32::from(arguments));
    }
}

#[cfg(test)]
mod tests;
