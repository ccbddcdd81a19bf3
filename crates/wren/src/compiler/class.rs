//! Classes: their methods, their fields, and their attributes.

use super::{
    Compiler,
    expression::operator,
    scope::{MethodState, Place},
    signature::{Form, Signature},
    token::{Kind, Literal},
};
use crate::bytecode::{Attribute, AttributeValue, ClassAttributes, Constant, Op};
use std::collections::HashSet;

/// So many fields a class may have of its own.
const MAX_FIELDS: usize = 255;

pub(super) struct ClassState {
    name: String,
    fields: Vec<String>,
    is_foreign: bool,
    /// The signatures of methods, with `static ` in front of those of the class.
    methods: HashSet<String>,
    /// The function that the class stands in.
    function: usize,
    attributes: ClassAttributes,
}

impl Compiler<'_> {
    pub(super) fn class_definition(&mut self, attributes: Option<Vec<Attribute>>, is_foreign: bool) {
        let index = self.declare_name();
        let name = self.parser.previous_text();
        let is_in_module = self.state().scope == -1;
        let place = if is_in_module { Place::Module(index) } else { Place::Local(index) };
        self.emit_text(&name);
        if self.parser.take(Kind::Is) {
            self.expression_of(super::expression::Precedence::Call);
        } else {
            self.load_core("Object");
        }
        let class = self.here();
        let op = if is_foreign { Op::ForeignClass } else { Op::Class };
        self.emit(op.with(0), -1);
        self.define(index);
        // The scope of static fields, which are variables around the methods.
        self.begin_scope();
        let function = self.functions.len() - 1;
        let own =
            attributes.unwrap_or_default().into_iter().filter(|attribute| attribute.at_runtime).collect();
        self.classes.push(ClassState {
            name,
            fields: Vec::new(),
            is_foreign,
            methods: HashSet::new(),
            function,
            attributes: ClassAttributes { class: own, methods: Vec::new() },
        });
        self.parser.expect(Kind::LeftBrace, "Expect '{' after class declaration.");
        self.parser.skip_lines();
        while !self.parser.take(Kind::RightBrace) {
            if !self.method(place) {
                break;
            }
            if self.parser.take(Kind::RightBrace) {
                break;
            }
            self.parser.expect_line("Expect newline after definition in class.");
        }
        let Some(ended) = self.classes.pop() else { return };
        if !is_foreign {
            self.state().function.code[class] = Op::Class.with(ended.fields.len() as u32);
        }
        if !ended.attributes.is_empty() {
            let constant = self.constant(Constant::Attributes(Box::new(ended.attributes)));
            self.load(place);
            self.emit(Op::EndClass.with(constant), -1);
        }
        self.end_scope();
    }

    /// A method. `false` where there is none.
    fn method(&mut self, class: Place) -> bool {
        let attributes = self.attributes();
        let is_foreign = self.parser.take(Kind::Foreign);
        let is_static = self.parser.take(Kind::Static);
        let is_constructor = self.parser.take(Kind::Construct);
        self.parser.advance();
        let Some(read) = self.method_name(is_constructor) else {
            self.parser.error("Expect method definition.");
            return false;
        };
        let signature = self.begin_method(read, is_static, is_constructor);
        if is_constructor && is_static {
            self.parser.error("A constructor cannot be static.");
        }
        let text = signature.text();
        self.remember_method(&text, is_static, attributes);
        let symbol = u32::from(self.symbol(&text));
        if is_foreign {
            // Its body is the host's.
            self.functions.pop();
            let full = if is_static { format!("static {text}") } else { text };
            self.emit_text(&full);
        } else {
            self.parser.expect(Kind::LeftBrace, "Expect '{' to begin method body.");
            self.function_body();
            self.end_function(text);
        }
        self.define_method(class, symbol, is_static);
        if is_constructor {
            self.constructor(class, &signature);
        }
        true
    }

    /// The method is known to its class.
    fn remember_method(&mut self, text: &str, is_static: bool, attributes: Option<Vec<Attribute>>) {
        let key = format!("{}{text}", if is_static { "static " } else { "" });
        let attributes: Vec<_> =
            attributes.unwrap_or_default().into_iter().filter(|attribute| attribute.at_runtime).collect();
        let Some(class) = self.classes.last_mut() else { return };
        if !attributes.is_empty() {
            class.attributes.methods.push((key.clone(), attributes));
        }
        if !class.methods.insert(key) {
            let kind = if is_static { "static " } else { "" };
            let message = format!("Class {} already defines a {kind}method '{text}'.", class.name);
            self.parser.error(&message);
        }
    }

    fn define_method(&mut self, class: Place, symbol: u32, is_static: bool) {
        // The class stands in the function around its methods.
        self.load(class);
        let op = if is_static { Op::StaticMethod } else { Op::Method };
        self.emit(op.with(symbol), -2);
    }

    /// The method of the class that makes an object, and calls the one that initializes it.
    fn constructor(&mut self, class: Place, signature: &Signature) {
        let is_foreign = self.classes.last().is_some_and(|class| class.is_foreign);
        let method = MethodState { signature: signature.clone(), is_static: true, is_constructor: false };
        self.begin_function(Some(method));
        self.state().function.arity = signature.arity;
        let slots = u32::from(signature.arity) + 1;
        self.set_height(slots);
        let state = self.state();
        state.function.slots = state.function.slots.max(slots);
        self.emit(if is_foreign { Op::ForeignConstruct } else { Op::Construct }.with(0), 0);
        self.emit_call(&signature.text(), signature.arity);
        self.emit(Op::Return.with(0), -1);
        let text = Signature { form: Form::Method, ..signature.clone() }.text();
        let symbol = u32::from(self.symbol(&text));
        self.end_function(text);
        self.define_method(class, symbol, true);
    }

    // Signatures.

    /// What the method's name, which was read last, says of it.
    fn method_name(&mut self, is_constructor: bool) -> Option<Name> {
        let kind = self.parser.previous.kind;
        let text = self.parser.previous_text();
        Some(match kind {
            Kind::Name if is_constructor => Name { text, kind: NameKind::Constructor },
            Kind::Name => Name { text, kind: NameKind::Named },
            _ if is_constructor => return None,
            Kind::LeftBracket => Name { text: String::new(), kind: NameKind::Subscript },
            Kind::Bang | Kind::Tilde => Name { text, kind: NameKind::Unary },
            Kind::Minus => Name { text, kind: NameKind::Mixed },
            other => {
                operator(other)?;
                Name { text, kind: NameKind::Infix }
            }
        })
    }

    /// Begins the method's function, and reads its parameters into it.
    fn begin_method(&mut self, name: Name, is_static: bool, is_constructor: bool) -> Signature {
        let provisional = Signature::new(name.text.clone(), Form::Method, 0);
        self.begin_function(Some(MethodState { signature: provisional, is_static, is_constructor }));
        let mut signature = Signature::new(name.text, Form::Getter, 0);
        match name.kind {
            NameKind::Constructor => {
                signature.form = Form::Constructor;
                if self.parser.take(Kind::Equal) {
                    self.parser.error("A constructor cannot be a setter.");
                }
                if self.parser.take(Kind::LeftParen) {
                    self.parameter_list(&mut signature, Kind::RightParen);
                } else {
                    self.parser.error("A constructor cannot be a getter.");
                }
            }
            NameKind::Named => {
                if self.parser.take(Kind::Equal) {
                    signature.form = Form::Setter;
                    self.setter_parameter(&mut signature);
                } else if self.parser.take(Kind::LeftParen) {
                    signature.form = Form::Method;
                    self.parameter_list(&mut signature, Kind::RightParen);
                }
            }
            NameKind::Subscript => {
                signature.form = Form::Subscript;
                signature.arity = self.parameters();
                self.parser.expect(Kind::RightBracket, "Expect ']' after parameters.");
                if self.parser.take(Kind::Equal) {
                    signature.form = Form::SubscriptSetter;
                    self.setter_parameter(&mut signature);
                }
            }
            NameKind::Unary => {}
            NameKind::Mixed => {
                if self.parser.take(Kind::LeftParen) {
                    signature.form = Form::Method;
                    self.one_parameter(&mut signature);
                }
            }
            NameKind::Infix => {
                signature.form = Form::Method;
                self.parser.expect(Kind::LeftParen, "Expect '(' after operator name.");
                self.one_parameter(&mut signature);
            }
        }
        let state = self.state();
        state.function.arity = signature.arity;
        if let Some(method) = &mut state.method {
            method.signature = signature.clone();
        }
        signature
    }

    fn parameter_list(&mut self, signature: &mut Signature, end: Kind) {
        self.parser.skip_lines();
        if self.parser.take(end) {
            return;
        }
        signature.arity = self.parameters();
        self.parser.skip_lines();
        self.parser.expect(end, "Expect ')' after parameters.");
    }

    fn one_parameter(&mut self, signature: &mut Signature) {
        signature.arity += self.single();
        self.parser.expect(Kind::RightParen, "Expect ')' after parameter name.");
    }

    fn setter_parameter(&mut self, signature: &mut Signature) {
        self.parser.expect(Kind::LeftParen, "Expect '(' after '='.");
        signature.arity = signature.arity.saturating_add(1);
        self.check_parameters(signature.arity);
        self.single();
        self.parser.expect(Kind::RightParen, "Expect ')' after parameter name.");
    }

    /// The name of one parameter.
    fn single(&mut self) -> u8 {
        self.declare_name();
        let height = self.height() + 1;
        self.set_height(height);
        let state = self.state();
        state.function.slots = state.function.slots.max(height);
        1
    }

    // Fields.

    pub(super) fn field_index(&mut self, name: &str) -> u32 {
        let is_static = self
            .functions
            .iter()
            .rev()
            .find_map(|state| state.method.as_ref())
            .is_some_and(|method| method.is_static);
        let Some(class) = self.classes.last_mut() else {
            self.parser.error("Cannot reference a field outside of a class definition.");
            return 0;
        };
        if class.is_foreign {
            self.parser.error("Cannot define fields in a foreign class.");
            return 0;
        }
        if is_static {
            self.parser.error("Cannot use an instance field in a static method.");
            return 0;
        }
        if let Some(known) = class.fields.iter().position(|field| field == name) {
            return known as u32;
        }
        class.fields.push(name.to_owned());
        let count = class.fields.len();
        if count > MAX_FIELDS {
            self.parser.error(&format!("A class can only have {MAX_FIELDS} fields."));
            return 0;
        }
        count as u32 - 1
    }

    /// A static field is a variable of the function that its class stands in, and null at first.
    pub(super) fn declare_static_field(&mut self, name: &str) {
        let Some(function) = self.classes.last().map(|class| class.function) else { return };
        let inner = self.functions.split_off(function + 1);
        if self.local_in_scope(name).is_none() {
            self.emit(Op::Null.with(0), 1);
            self.add_local(name.to_owned());
        }
        self.functions.extend(inner);
    }

    // Attributes.

    /// `#key`, `#key = value`, `#group(key = value)`, and with a `!` those that a program can see. `None` where there are none.
    pub(super) fn attributes(&mut self) -> Option<Vec<Attribute>> {
        let mut attributes = Vec::new();
        let mut are_there = false;
        while self.parser.take(Kind::Hash) {
            are_there = true;
            let at_runtime = self.parser.take(Kind::Bang);
            if !self.parser.take(Kind::Name) {
                self.parser.advance();
                self.parser.error("Expect an attribute definition after #.");
                continue;
            }
            let name = self.parser.previous_text();
            if self.parser.take(Kind::LeftParen) {
                self.attribute_group(&name, at_runtime, &mut attributes);
            } else {
                let value = self.attribute_value();
                attributes.push(Attribute { group: None, key: name, value, at_runtime });
            }
            self.parser.expect_line("Expect newline after attribute.");
        }
        are_there.then_some(attributes)
    }

    fn attribute_group(&mut self, group: &str, at_runtime: bool, attributes: &mut Vec<Attribute>) {
        self.parser.skip_lines();
        if self.parser.take(Kind::RightParen) {
            self.parser.error("Expected attributes in group, group cannot be empty.");
            return;
        }
        loop {
            self.parser.skip_lines();
            self.parser.expect(Kind::Name, "Expect name for attribute key.");
            let key = self.parser.previous_text();
            let value = self.attribute_value();
            attributes.push(Attribute { group: Some(group.to_owned()), key, value, at_runtime });
            self.parser.skip_lines();
            if !self.parser.take(Kind::Comma) {
                break;
            }
        }
        self.parser.expect(Kind::RightParen, "Expected ')' after grouped attributes.");
    }

    fn attribute_value(&mut self) -> AttributeValue {
        if !self.parser.take(Kind::Equal) {
            return AttributeValue::Null;
        }
        let is_value = matches!(
            self.parser.current.kind,
            Kind::Null | Kind::True | Kind::False | Kind::Number | Kind::String | Kind::Name
        );
        if !is_value {
            self.parser.error("Expect a Bool, Num, String or Identifier literal for an attribute value.");
            self.parser.advance();
            return AttributeValue::Null;
        }
        self.parser.advance();
        let literal = std::mem::replace(&mut self.parser.previous.literal, Literal::None);
        match (self.parser.previous.kind, literal) {
            (Kind::True, _) => AttributeValue::Bool(true),
            (Kind::False, _) => AttributeValue::Bool(false),
            (_, Literal::Number(number)) => AttributeValue::Number(number),
            (_, Literal::String(text)) => AttributeValue::String(text),
            (Kind::Name, _) => AttributeValue::String(self.parser.previous_text().into_bytes()),
            _ => AttributeValue::Null,
        }
    }
}

/// The name of a method, with what may follow it.
struct Name {
    text: String,
    kind: NameKind,
}

enum NameKind {
    Named,
    Constructor,
    Subscript,
    /// `!`, `~`: of no arguments.
    Unary,
    /// `-`: of one argument, or none.
    Mixed,
    /// Of one argument.
    Infix,
}
