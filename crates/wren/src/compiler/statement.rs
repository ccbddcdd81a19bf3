//! Statements and definitions, and the bodies of functions.

use super::{
    Compiler,
    scope::{LoopState, MAX_LOCALS},
    token::{Kind, Literal},
};
use crate::bytecode::{Constant, Op};

/// What a block of braces is.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Body {
    /// One expression, whose value is on the stack.
    Expression,
    Statements,
}

impl Compiler<'_> {
    /// A definition or a statement.
    pub(super) fn definition(&mut self) {
        if !self.enter() {
            return self.leave();
        }
        let attributes = self.attributes();
        if self.parser.take(Kind::Class) {
            self.class_definition(attributes, false);
        } else if self.parser.take(Kind::Foreign) {
            self.parser.expect(Kind::Class, "Expect 'class' after 'foreign'.");
            self.class_definition(attributes, true);
        } else {
            if attributes.is_some() {
                self.parser.error("Attributes can only specified before a class or a method");
            }
            if self.parser.take(Kind::Import) {
                self.import();
            } else if self.parser.take(Kind::Var) {
                self.variable();
            } else {
                self.statement();
            }
        }
        self.leave();
    }

    fn variable(&mut self) {
        self.parser.expect(Kind::Name, "Expect variable name.");
        let name = self.parser.previous_text();
        if self.parser.take(Kind::Equal) {
            self.parser.skip_lines();
            self.expression();
        } else {
            self.emit(Op::Null.with(0), 1);
        }
        // Declared behind its value, which may use a variable of the same name that is outside.
        let index = self.declare_checked(name);
        self.define(index);
    }

    fn import(&mut self) {
        self.parser.skip_lines();
        self.parser.expect(Kind::String, "Expect a string after 'import'.");
        let Literal::String(module) = std::mem::replace(&mut self.parser.previous.literal, Literal::None)
        else {
            return;
        };
        let module = self.constant(Constant::String(module));
        self.emit(Op::ImportModule.with(module), 1);
        // What running it gave.
        self.emit(Op::Pop.with(0), -1);
        if !self.parser.take(Kind::For) {
            return;
        }
        loop {
            self.parser.skip_lines();
            self.parser.expect(Kind::Name, "Expect variable name.");
            let imported = self.parser.previous_text();
            let imported = self.constant(Constant::String(imported.into_bytes()));
            let index =
                if self.parser.take(Kind::As) { self.declare_name() } else { self.declare_previous() };
            self.emit(Op::ImportVariable.with(imported), 1);
            self.define(index);
            if !self.parser.take(Kind::Comma) {
                return;
            }
        }
    }

    pub(super) fn statement(&mut self) {
        if !self.enter() {
            return self.leave();
        }
        if self.parser.take(Kind::Break) {
            self.leave_loop("Cannot use 'break' outside of a loop.");
        } else if self.parser.take(Kind::Continue) {
            self.continue_loop();
        } else if self.parser.take(Kind::For) {
            self.for_statement();
        } else if self.parser.take(Kind::If) {
            self.if_statement();
        } else if self.parser.take(Kind::Return) {
            self.return_statement();
        } else if self.parser.take(Kind::While) {
            self.while_statement();
        } else if self.parser.take(Kind::LeftBrace) {
            self.begin_scope();
            if self.block() == Body::Expression {
                self.emit(Op::Pop.with(0), -1);
            }
            self.end_scope();
        } else {
            self.expression();
            self.emit(Op::Pop.with(0), -1);
        }
        self.leave();
    }

    /// What stands between braces, the first of which was read.
    fn block(&mut self) -> Body {
        if self.parser.take(Kind::RightBrace) {
            return Body::Statements;
        }
        // In one line it's an expression.
        if !self.parser.take_line() {
            self.expression();
            self.parser.expect(Kind::RightBrace, "Expect '}' at end of block.");
            return Body::Expression;
        }
        if self.parser.take(Kind::RightBrace) {
            return Body::Statements;
        }
        loop {
            self.definition();
            self.parser.expect_line("Expect newline after statement.");
            if self.parser.is_at(Kind::RightBrace) || self.parser.is_at(Kind::Eof) {
                break;
            }
        }
        self.parser.expect(Kind::RightBrace, "Expect '}' at end of block.");
        Body::Statements
    }

    /// The body of a function or of a method, whose brace was read, with its return.
    pub(super) fn function_body(&mut self) {
        if !self.enter() {
            return self.leave();
        }
        let body = self.block();
        let is_constructor = self.state().method.as_ref().is_some_and(|method| method.is_constructor);
        if is_constructor {
            // It gives the new object, whatever its last expression.
            if body == Body::Expression {
                self.emit(Op::Pop.with(0), -1);
            }
            self.emit(Op::LoadLocal.with(0), 1);
        } else if body == Body::Statements {
            self.emit(Op::Null.with(0), 1);
        }
        self.emit(Op::Return.with(0), -1);
        self.leave();
    }

    fn if_statement(&mut self) {
        self.parser.expect(Kind::LeftParen, "Expect '(' after 'if'.");
        self.expression();
        self.parser.expect(Kind::RightParen, "Expect ')' after if condition.");
        let to_else = self.emit_jump(Op::JumpIf, -1);
        self.statement();
        if self.parser.take(Kind::Else) {
            let to_end = self.emit_jump(Op::Jump, 0);
            self.land(to_else);
            self.statement();
            self.land(to_end);
        } else {
            self.land(to_else);
        }
    }

    fn return_statement(&mut self) {
        let is_constructor = self.state().method.as_ref().is_some_and(|method| method.is_constructor);
        if self.parser.is_at(Kind::Line)
            || self.parser.is_at(Kind::RightBrace)
            || self.parser.is_at(Kind::Eof)
        {
            let word = if is_constructor { Op::LoadLocal.with(0) } else { Op::Null.with(0) };
            self.emit(word, 1);
        } else {
            if is_constructor {
                self.parser.error("A constructor cannot return a value.");
            }
            self.expression();
        }
        self.emit(Op::Return.with(0), -1);
    }

    // Loops.

    fn begin_loop(&mut self) {
        let start = self.here();
        let state = self.state();
        let scope = state.scope;
        state.loops.push(LoopState { start, scope, breaks: Vec::new() });
    }

    /// The condition is on the stack: the body, and the way back.
    fn loop_body(&mut self) {
        let exit = self.emit_jump(Op::JumpIf, -1);
        self.statement();
        let start = self.state().loops.last().map_or(0, |own| own.start);
        self.emit_loop(start);
        self.land(exit);
    }

    fn end_loop(&mut self) {
        let Some(ended) = self.state().loops.pop() else { return };
        for place in ended.breaks {
            self.land(place);
        }
    }

    fn while_statement(&mut self) {
        self.begin_loop();
        self.parser.expect(Kind::LeftParen, "Expect '(' after 'while'.");
        self.expression();
        self.parser.expect(Kind::RightParen, "Expect ')' after while condition.");
        self.loop_body();
        self.end_loop();
    }

    /// `for (name in sequence) body` asks the sequence for one iterator after the other, and for the value of each.
    fn for_statement(&mut self) {
        // Names that no program can use.
        const SEQUENCE: &str = "seq ";
        const ITERATOR: &str = "iter ";
        self.begin_scope();
        self.parser.expect(Kind::LeftParen, "Expect '(' after 'for'.");
        self.parser.expect(Kind::Name, "Expect for loop variable name.");
        let name = self.parser.previous_text();
        self.parser.expect(Kind::In, "Expect 'in' after loop variable.");
        self.parser.skip_lines();
        self.expression();
        if self.state().locals.len() + 2 > MAX_LOCALS {
            self.parser.error(&format!(
                "Cannot declare more than {MAX_LOCALS} variables in one scope. (Not enough space for for-loops internal variables)"
            ));
            return self.end_scope();
        }
        let sequence = self.add_local(SEQUENCE.to_owned());
        self.emit(Op::Null.with(0), 1);
        let iterator = self.add_local(ITERATOR.to_owned());
        self.parser.expect(Kind::RightParen, "Expect ')' after loop expression.");
        self.begin_loop();
        self.emit(Op::LoadLocal.with(sequence), 1);
        self.emit(Op::LoadLocal.with(iterator), 1);
        self.emit_call("iterate(_)", 1);
        self.emit(Op::StoreLocal.with(iterator), 0);
        let exit = self.emit_jump(Op::JumpIf, -1);
        self.emit(Op::LoadLocal.with(sequence), 1);
        self.emit(Op::LoadLocal.with(iterator), 1);
        self.emit_call("iteratorValue(_)", 1);
        // A new variable for each turn, so that functions made in it have one of their own.
        self.begin_scope();
        self.add_local(name);
        self.statement();
        self.end_scope();
        let start = self.state().loops.last().map_or(0, |own| own.start);
        self.emit_loop(start);
        self.land(exit);
        self.end_loop();
        self.end_scope();
    }

    fn leave_loop(&mut self, outside: &str) {
        let Some(scope) = self.state().loops.last().map(|own| own.scope) else {
            return self.parser.error(outside);
        };
        self.discard_locals(scope + 1);
        let place = self.emit_jump(Op::Jump, 0);
        if let Some(own) = self.state().loops.last_mut() {
            own.breaks.push(place);
        }
    }

    fn continue_loop(&mut self) {
        let Some((scope, start)) = self.state().loops.last().map(|own| (own.scope, own.start)) else {
            return self.parser.error("Cannot use 'continue' outside of a loop.");
        };
        self.discard_locals(scope + 1);
        self.emit_loop(start);
    }
}
