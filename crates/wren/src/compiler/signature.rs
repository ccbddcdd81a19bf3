//! [`Signature`]: the name of a method, with how it's called.

/// How a method is called.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Form {
    Method,
    Getter,
    Setter,
    Subscript,
    SubscriptSetter,
    Constructor,
}

/// So many parameters a method may have.
pub(super) const MAX_PARAMETERS: u8 = 16;

#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Signature {
    pub(super) name: String,
    pub(super) form: Form,
    /// Of a setter of a subscript, with the value.
    pub(super) arity: u8,
}

impl Signature {
    pub(super) fn new(name: impl Into<String>, form: Form, arity: u8) -> Self {
        Self { name: name.into(), form, arity }
    }

    /// As methods are told apart: `foo(_,_)`, `foo`, `foo=(_)`, `[_]`, `[_]=(_)`, `init new(_)`.
    pub(super) fn text(&self) -> String {
        let places = |count: u8| vec!["_"; usize::from(count)].join(",");
        let name = &self.name;
        match self.form {
            Form::Method => format!("{name}({})", places(self.arity)),
            Form::Getter => name.clone(),
            Form::Setter => format!("{name}=({})", places(self.arity)),
            Form::Subscript => format!("[{}]", places(self.arity)),
            Form::SubscriptSetter => format!("[{}]=(_)", places(self.arity.saturating_sub(1))),
            Form::Constructor => format!("init {name}({})", places(self.arity)),
        }
    }
}
