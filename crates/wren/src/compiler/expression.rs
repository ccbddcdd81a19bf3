//! Expressions: by the precedence of their operators. What begins an expression is parsed first, and then each operator
//! behind it that binds tightly enough.

use super::{
    Compiler,
    scope::{Place, is_local_name},
    signature::{Form, MAX_PARAMETERS, Signature},
    token::{Kind, Literal},
};
use crate::bytecode::{Constant, Op};

/// How tightly an operator binds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Precedence {
    Lowest,
    Conditional,
    Or,
    And,
    Equality,
    Is,
    Comparison,
    BitwiseOr,
    BitwiseXor,
    BitwiseAnd,
    Shift,
    Range,
    Term,
    Factor,
    Unary,
    Call,
}

impl Precedence {
    /// The next tighter one, which the right side of an operator has.
    fn tighter(self) -> Self {
        match self {
            Self::Lowest => Self::Conditional,
            Self::Conditional => Self::Or,
            Self::Or => Self::And,
            Self::And => Self::Equality,
            Self::Equality => Self::Is,
            Self::Is => Self::Comparison,
            Self::Comparison => Self::BitwiseOr,
            Self::BitwiseOr => Self::BitwiseXor,
            Self::BitwiseXor => Self::BitwiseAnd,
            Self::BitwiseAnd => Self::Shift,
            Self::Shift => Self::Range,
            Self::Range => Self::Term,
            Self::Term => Self::Factor,
            Self::Factor => Self::Unary,
            Self::Unary | Self::Call => Self::Call,
        }
    }
}

/// The operators that are methods of their left side, with their names.
pub(super) fn operator(kind: Kind) -> Option<(Precedence, &'static str)> {
    Some(match kind {
        Kind::EqualEqual => (Precedence::Equality, "=="),
        Kind::BangEqual => (Precedence::Equality, "!="),
        Kind::Is => (Precedence::Is, "is"),
        Kind::Less => (Precedence::Comparison, "<"),
        Kind::Greater => (Precedence::Comparison, ">"),
        Kind::LessEqual => (Precedence::Comparison, "<="),
        Kind::GreaterEqual => (Precedence::Comparison, ">="),
        Kind::Pipe => (Precedence::BitwiseOr, "|"),
        Kind::Caret => (Precedence::BitwiseXor, "^"),
        Kind::Amp => (Precedence::BitwiseAnd, "&"),
        Kind::LessLess => (Precedence::Shift, "<<"),
        Kind::GreaterGreater => (Precedence::Shift, ">>"),
        Kind::DotDot => (Precedence::Range, ".."),
        Kind::DotDotDot => (Precedence::Range, "..."),
        Kind::Plus => (Precedence::Term, "+"),
        Kind::Minus => (Precedence::Term, "-"),
        Kind::Star => (Precedence::Factor, "*"),
        Kind::Slash => (Precedence::Factor, "/"),
        Kind::Percent => (Precedence::Factor, "%"),
        _ => return None,
    })
}

/// The precedence of what may stand behind an expression.
fn infix(kind: Kind) -> Option<Precedence> {
    match kind {
        Kind::LeftBracket | Kind::Dot => Some(Precedence::Call),
        Kind::Question => Some(Precedence::Conditional),
        Kind::PipePipe => Some(Precedence::Or),
        Kind::AmpAmp => Some(Precedence::And),
        other => operator(other).map(|(precedence, _)| precedence),
    }
}

/// Whether what is parsed may be the left side of an `=`.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Assign {
    May,
    Never,
}

impl Compiler<'_> {
    pub(super) fn expression(&mut self) {
        self.expression_of(Precedence::Lowest);
    }

    pub(super) fn expression_of(&mut self, precedence: Precedence) {
        if !self.enter() {
            return self.leave();
        }
        self.parser.advance();
        let assign = if precedence <= Precedence::Conditional { Assign::May } else { Assign::Never };
        if self.prefix(assign) {
            self.infixes(precedence, assign);
        } else {
            self.parser.error("Expected expression.");
        }
        self.leave();
    }

    fn infixes(&mut self, precedence: Precedence, assign: Assign) {
        loop {
            // A call may stand in a line of its own.
            if precedence <= Precedence::Call && self.parser.goes_on_with_dot() {
                self.parser.skip_lines();
            }
            let Some(next) = infix(self.parser.current.kind).filter(|next| *next >= precedence) else {
                return;
            };
            self.parser.advance();
            match self.parser.previous.kind {
                Kind::LeftBracket => self.subscript(assign),
                Kind::Dot => {
                    self.parser.expect(Kind::Name, "Expect method name after '.'.");
                    self.named_call(assign, Op::Call);
                }
                Kind::Question => self.conditional(),
                Kind::PipePipe => self.logical(Op::Or, next),
                Kind::AmpAmp => self.logical(Op::And, next),
                kind => {
                    let Some((_, name)) = operator(kind) else { return };
                    // The right side may stand in the next line.
                    self.parser.skip_lines();
                    self.expression_of(next.tighter());
                    self.emit_call(&Signature::new(name, Form::Method, 1).text(), 1);
                }
            }
        }
    }

    /// What begins an expression; `false` for what doesn't.
    fn prefix(&mut self, assign: Assign) -> bool {
        match self.parser.previous.kind {
            Kind::LeftParen => {
                self.expression();
                self.parser.expect(Kind::RightParen, "Expect ')' after expression.");
            }
            Kind::LeftBracket => self.list(),
            Kind::LeftBrace => self.map(),
            Kind::Minus => self.unary("-"),
            Kind::Bang => self.unary("!"),
            Kind::Tilde => self.unary("~"),
            Kind::Field => self.field(assign),
            Kind::StaticField => self.static_field(assign),
            Kind::Name => self.name(assign),
            Kind::Super => self.super_call(assign),
            Kind::This => self.this(),
            Kind::True => self.emit(Op::True.with(0), 1),
            Kind::False => self.emit(Op::False.with(0), 1),
            Kind::Null => self.emit(Op::Null.with(0), 1),
            Kind::Number | Kind::String => self.literal(),
            Kind::Interpolation => self.interpolation(),
            _ => return false,
        }
        true
    }

    fn literal(&mut self) {
        let constant = match std::mem::replace(&mut self.parser.previous.literal, Literal::None) {
            Literal::Number(number) => Constant::Number(number),
            Literal::String(text) => Constant::String(text),
            Literal::None => return self.emit(Op::Null.with(0), 1),
        };
        self.emit_constant(constant);
    }

    fn unary(&mut self, name: &str) {
        self.parser.skip_lines();
        self.expression_of(Precedence::Unary.tighter());
        self.emit_call(name, 0);
    }

    fn list(&mut self) {
        self.load_core("List");
        self.emit_call("new()", 0);
        loop {
            self.parser.skip_lines();
            // A comma may stand behind the last one.
            if self.parser.is_at(Kind::RightBracket) {
                break;
            }
            self.expression();
            self.emit_call("addCore_(_)", 1);
            if !self.parser.take(Kind::Comma) {
                break;
            }
        }
        self.parser.skip_lines();
        self.parser.expect(Kind::RightBracket, "Expect ']' after list elements.");
    }

    fn map(&mut self) {
        self.load_core("Map");
        self.emit_call("new()", 0);
        loop {
            self.parser.skip_lines();
            if self.parser.is_at(Kind::RightBrace) {
                break;
            }
            self.expression_of(Precedence::Unary);
            self.parser.expect(Kind::Colon, "Expect ':' after map key.");
            self.parser.skip_lines();
            self.expression();
            self.emit_call("addCore_(_,_)", 2);
            if !self.parser.take(Kind::Comma) {
                break;
            }
        }
        self.parser.skip_lines();
        self.parser.expect(Kind::RightBrace, "Expect '}' after map entries.");
    }

    /// A string with expressions in it is the parts of it, joined.
    fn interpolation(&mut self) {
        self.load_core("List");
        self.emit_call("new()", 0);
        loop {
            self.literal();
            self.emit_call("addCore_(_)", 1);
            self.parser.skip_lines();
            self.expression();
            self.emit_call("addCore_(_)", 1);
            self.parser.skip_lines();
            if !self.parser.take(Kind::Interpolation) {
                break;
            }
        }
        self.parser.expect(Kind::String, "Expect end of string interpolation.");
        self.literal();
        self.emit_call("addCore_(_)", 1);
        self.emit_call("join()", 0);
    }

    fn logical(&mut self, op: Op, precedence: Precedence) {
        self.parser.skip_lines();
        let jump = self.emit_jump(op, -1);
        self.expression_of(precedence.tighter());
        self.land(jump);
    }

    fn conditional(&mut self) {
        self.parser.skip_lines();
        let to_else = self.emit_jump(Op::JumpIf, -1);
        let height = self.height();
        self.expression_of(Precedence::Conditional);
        self.parser.expect(Kind::Colon, "Expect ':' after then branch of conditional operator.");
        self.parser.skip_lines();
        let to_end = self.emit_jump(Op::Jump, 0);
        self.land(to_else);
        self.set_height(height);
        self.expression_of(Precedence::Lowest);
        self.land(to_end);
    }

    fn subscript(&mut self, assign: Assign) {
        let mut signature = Signature::new("", Form::Subscript, 0);
        self.arguments(&mut signature);
        self.parser.expect(Kind::RightBracket, "Expect ']' after arguments.");
        if assign == Assign::May && self.parser.take(Kind::Equal) {
            signature.form = Form::SubscriptSetter;
            signature.arity += 1;
            self.check_parameters(signature.arity);
            self.expression();
        }
        self.emit_signature(Op::Call, &signature);
    }

    /// The arguments up to, and without, the closing bracket.
    fn arguments(&mut self, signature: &mut Signature) {
        loop {
            self.parser.skip_lines();
            signature.arity = signature.arity.saturating_add(1);
            self.check_parameters(signature.arity);
            self.expression();
            if !self.parser.take(Kind::Comma) {
                break;
            }
        }
        self.parser.skip_lines();
    }

    pub(super) fn check_parameters(&mut self, count: u8) {
        if count == MAX_PARAMETERS + 1 {
            self.parser.error(&format!("Methods cannot have more than {MAX_PARAMETERS} parameters."));
        }
    }

    /// A call of the method whose name was read last, on what is on the stack.
    fn named_call(&mut self, assign: Assign, op: Op) {
        let name = self.parser.previous_text();
        if assign == Assign::May && self.parser.take(Kind::Equal) {
            self.parser.skip_lines();
            self.expression();
            self.emit_signature(op, &Signature::new(name, Form::Setter, 1));
        } else {
            self.method_call(op, Signature::new(name, Form::Getter, 0));
        }
    }

    /// The arguments of a call, if there are any, with a block behind them.
    fn method_call(&mut self, op: Op, mut signature: Signature) {
        let of_constructor = signature.form == Form::Constructor;
        if self.parser.take(Kind::LeftParen) {
            signature.form = Form::Method;
            self.parser.skip_lines();
            if !self.parser.is_at(Kind::RightParen) {
                self.arguments(&mut signature);
            }
            self.parser.expect(Kind::RightParen, "Expect ')' after arguments.");
        }
        if self.parser.take(Kind::LeftBrace) {
            signature.form = Form::Method;
            signature.arity = signature.arity.saturating_add(1);
            self.check_parameters(signature.arity);
            let name = format!("{} block argument", signature.text());
            self.block_function(name);
        }
        if of_constructor {
            if signature.form != Form::Method {
                self.parser.error("A superclass constructor must have an argument list.");
            }
            signature.form = Form::Constructor;
        }
        self.emit_signature(op, &signature);
    }

    /// `{ |a, b| … }`, whose brace was read.
    pub(super) fn block_function(&mut self, name: String) {
        self.begin_function(None);
        let mut arity = 0;
        if self.parser.take(Kind::Pipe) {
            arity = self.parameters();
            self.parser.expect(Kind::Pipe, "Expect '|' after function parameters.");
        }
        self.state().function.arity = arity;
        self.function_body();
        self.end_function(name);
    }

    /// Names of parameters, which become locals. Gives how many.
    pub(super) fn parameters(&mut self) -> u8 {
        let mut count = 0_u8;
        loop {
            self.parser.skip_lines();
            count = count.saturating_add(1);
            self.check_parameters(count);
            self.declare_name();
            let height = self.height() + 1;
            self.set_height(height);
            let state = self.state();
            state.function.slots = state.function.slots.max(height);
            if !self.parser.take(Kind::Comma) {
                return count;
            }
        }
    }

    fn emit_signature(&mut self, op: Op, signature: &Signature) {
        let symbol = self.symbol(&signature.text());
        let arity = signature.arity.min(MAX_PARAMETERS);
        self.emit(op.call(symbol, arity), -i32::from(arity));
        if op == Op::SuperCall {
            // The machine puts the superclass there when it makes the class.
            let superclass = self.constant(Constant::Superclass);
            self.emit(superclass, 0);
        }
    }

    // Names.

    fn name(&mut self, assign: Assign) {
        let name = self.parser.previous_text();
        if let Some(place) = self.resolve(&name) {
            return self.bare_name(assign, place);
        }
        if !self.classes.is_empty() && is_local_name(&name) {
            // In a class it's a method of this.
            self.load_this();
            return self.named_call(assign, Op::Call);
        }
        let index = self.module_variable(&name);
        self.bare_name(assign, Place::Module(index));
    }

    fn bare_name(&mut self, assign: Assign, place: Place) {
        if assign == Assign::May && self.parser.take(Kind::Equal) {
            self.parser.skip_lines();
            self.expression();
            self.store(place);
        } else {
            self.load(place);
        }
    }

    fn field(&mut self, assign: Assign) {
        let name = self.parser.previous_text();
        let index = self.field_index(&name);
        let is_here = self.state().method.is_some();
        let is_store = assign == Assign::May && self.parser.take(Kind::Equal);
        if is_store {
            self.parser.skip_lines();
            self.expression();
        }
        match (is_here, is_store) {
            (true, true) => self.emit(Op::StoreThisField.with(index), 0),
            (true, false) => self.emit(Op::LoadThisField.with(index), 1),
            (false, true) => {
                self.load_this();
                self.emit(Op::StoreField.with(index), -1);
            }
            (false, false) => {
                self.load_this();
                self.emit(Op::LoadField.with(index), 0);
            }
        }
    }

    fn static_field(&mut self, assign: Assign) {
        let name = self.parser.previous_text();
        if self.classes.is_empty() {
            self.parser.error("Cannot use a static field outside of a class definition.");
            return self.emit(Op::Null.with(0), 1);
        }
        self.declare_static_field(&name);
        match self.resolve(&name) {
            Some(place) => self.bare_name(assign, place),
            None => self.emit(Op::Null.with(0), 1),
        }
    }

    fn this(&mut self) {
        if self.classes.is_empty() {
            self.parser.error("Cannot use 'this' outside of a method.");
            return self.emit(Op::Null.with(0), 1);
        }
        self.load_this();
    }

    pub(super) fn load_this(&mut self) {
        match self.resolve_this() {
            Some(place) => self.load(place),
            None => self.emit(Op::Null.with(0), 1),
        }
    }

    fn resolve_this(&mut self) -> Option<Place> {
        self.resolve("this")
    }

    fn super_call(&mut self, assign: Assign) {
        if self.classes.is_empty() {
            self.parser.error("Cannot use 'super' outside of a method.");
        }
        self.load_this();
        if self.parser.take(Kind::Dot) {
            self.parser.expect(Kind::Name, "Expect method name after 'super.'.");
            return self.named_call(assign, Op::SuperCall);
        }
        // The method of the same name.
        let own = self.functions.iter().rev().find_map(|state| state.method.as_ref());
        let signature = own.map_or_else(|| Signature::new("", Form::Method, 0), |own| own.signature.clone());
        self.method_call(Op::SuperCall, Signature { arity: 0, ..signature_of_super(signature) });
    }
}

/// How `super(…)` calls the method that it stands in.
fn signature_of_super(mut own: Signature) -> Signature {
    if own.form != Form::Constructor {
        own.form = Form::Getter;
    }
    own
}
