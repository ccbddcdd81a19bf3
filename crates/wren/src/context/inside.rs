//! What the values of the outside are inside, and the other way round.

use super::Context;
use crate::{
    Class, CompileError, Error, Fiber, Function, Handle, List, Map, Object, Range, RuntimeError, ToWren,
    TraceFrame, Value,
    heap::Gc,
    machine::{Failure, ForeignExit, Stop},
    object::{self, Kind},
    word::Word,
};

impl Context<'_> {
    // Words and values.

    /// A safe point: what is held by handles and on stacks stays.
    pub(super) fn breathe(&mut self) {
        if self.machine.heap.is_due() || self.machine.watch.collects_always {
            self.machine.collect();
        }
    }

    /// Room for something that is about to be made. A safe point.
    pub(crate) fn room(&mut self, bytes: usize) -> Result<(), Error> {
        if self.machine.heap.has_room_for(bytes) {
            return Ok(());
        }
        self.machine.collect();
        if self.machine.heap.has_room_for(bytes) { Ok(()) } else { Err(Error::new("Out of memory.")) }
    }

    pub(super) fn root(&self, word: Word) -> Handle {
        self.machine.roots.root(word)
    }

    pub(super) fn unroot(&self, handle: &Handle) -> Result<Word, Error> {
        let word = self.machine.roots.word(handle);
        word.ok_or_else(|| Error::Misuse("The value is another Vm's.".to_owned()))
    }

    /// A value for the outside.
    pub(crate) fn value(&self, word: Word) -> Value {
        if let Some(number) = word.as_number() {
            return Value::Num(number);
        }
        let Some(header) = word.as_header() else {
            return match word {
                Word::TRUE => Value::Bool(true),
                Word::FALSE => Value::Bool(false),
                _ => Value::Null,
            };
        };
        if let Some(text) = word.get::<object::Text>() {
            return match std::str::from_utf8(text.bytes()) {
                Ok(text) => Value::String(text.to_owned()),
                Err(_) => Value::Bytes(text.bytes().to_vec()),
            };
        }
        if let Some(range) = word.get::<object::Range>() {
            return Value::Range(Range { from: range.from, to: range.to, is_inclusive: range.is_inclusive });
        }
        let handle = self.root(word);
        match header.kind() {
            Kind::List => Value::List(List(handle)),
            Kind::Map => Value::Map(Map(handle)),
            Kind::Closure => Value::Function(Function(handle)),
            Kind::Fiber => Value::Fiber(Fiber(handle)),
            Kind::Class => Value::Class(Class(handle)),
            _ => Value::Object(Object(handle)),
        }
    }

    /// A value for the inside. What it leads to is held by the value, or by nothing: no safe point may follow before it's put
    /// where a root leads to.
    pub(crate) fn word(&mut self, value: &Value) -> Result<Word, Error> {
        Ok(match value {
            Value::Null => Word::NULL,
            Value::Bool(is) => Word::boolean(*is),
            Value::Num(number) => Word::number(*number),
            Value::String(text) => self.new_text(text.as_bytes())?,
            Value::Bytes(bytes) => self.new_text(bytes)?,
            Value::Range(range) => {
                let class = self.machine.classes.range;
                let range =
                    object::Range::new(class, normal(range.from), normal(range.to), range.is_inclusive);
                Word::object(self.machine.heap.alloc(range))
            }
            Value::List(List(handle))
            | Value::Map(Map(handle))
            | Value::Function(Function(handle))
            | Value::Fiber(Fiber(handle))
            | Value::Class(Class(handle))
            | Value::Object(Object(handle)) => self.unroot(handle)?,
        })
    }

    fn new_text(&mut self, bytes: &[u8]) -> Result<Word, Error> {
        if !self.machine.heap.has_room_for(bytes.len()) {
            return Err(Error::new("Out of memory."));
        }
        Ok(self.machine.new_text(bytes))
    }

    /// As [`word`](Self::word), with a safe point before it.
    pub(crate) fn word_of(&mut self, value: impl ToWren) -> Result<Word, Error> {
        let value = value.to_wren(self)?;
        self.breathe();
        self.word(&value)
    }

    pub(crate) fn key_of(&mut self, key: impl ToWren) -> Result<Word, Error> {
        let word = self.word_of(key)?;
        if crate::core::is_key(word) { Ok(word) } else { Err(Error::new("Key must be a value type.")) }
    }

    pub(crate) fn list(&mut self, handle: &Handle) -> Result<Gc<object::List>, Error> {
        self.object(handle)
    }

    pub(crate) fn map(&mut self, handle: &Handle) -> Result<Gc<object::Map>, Error> {
        self.object(handle)
    }

    pub(crate) fn fiber_of(&mut self, handle: &Handle) -> Result<Gc<object::Fiber>, Error> {
        self.object(handle)
    }

    pub(crate) fn class_of_handle(&mut self, handle: &Handle) -> Result<Gc<object::Class>, Error> {
        self.object(handle)
    }

    pub(crate) fn class_of_object(&mut self, handle: &Handle) -> Result<Class, Error> {
        let word = self.unroot(handle)?;
        Ok(Class(self.root(Word::object(self.machine.class_of(word)))))
    }

    fn object<T: crate::heap::Object>(&mut self, handle: &Handle) -> Result<Gc<T>, Error> {
        let object = self.unroot(handle)?.get();
        object.ok_or_else(|| Error::Misuse("The handle stands for something else.".to_owned()))
    }

    // Errors.

    pub(super) fn error_of(&mut self, failure: Failure) -> Error {
        let trace = failure.trace.into_iter().map(frame).collect();
        match failure.stop {
            Some(Stop::Interrupted) => Error::Interrupted(trace),
            Some(Stop::OutOfSteps) => Error::OutOfSteps(trace),
            Some(Stop::ByGuard) => Error::Stopped(self.machine.stopped.clone(), trace),
            None => {
                let compile_errors: Vec<CompileError> = std::mem::take(&mut self.machine.compile_errors);
                Error::Runtime(Box::new(RuntimeError {
                    message: self.machine.error_text(failure.error),
                    value: self.value(failure.error),
                    trace,
                    compile_errors,
                }))
            }
        }
    }

    /// What the program sees of an error.
    pub(super) fn error_word(&mut self, error: Error) -> Result<Word, Error> {
        let value = match error {
            Error::Runtime(error) if error.value != Value::Null => error.value,
            other => Value::String(other.to_string()),
        };
        self.word(&value)
    }

    /// How a foreign method leaves with an error.
    pub(crate) fn exit(&mut self, error: Error) -> ForeignExit {
        match error {
            Error::Interrupted(_) => ForeignExit::Stop(Stop::Interrupted),
            Error::OutOfSteps(_) => ForeignExit::Stop(Stop::OutOfSteps),
            Error::Stopped(reason, _) => {
                self.machine.stopped = reason;
                ForeignExit::Stop(Stop::ByGuard)
            }
            other => match self.error_word(other) {
                Ok(word) => ForeignExit::Error(word),
                Err(_) => ForeignExit::Error(self.machine.text("The error's value is another Vm's.")),
            },
        }
    }

    pub(crate) fn error_exit(&mut self, message: &str) -> ForeignExit {
        ForeignExit::Error(self.machine.text(message))
    }
}

/// Without a sign or a payload of a NaN's, which words have no room for.
fn normal(number: f64) -> f64 {
    if number.is_nan() { f64::NAN } else { number }
}

pub(super) fn frame(frame: crate::machine::TraceFrame) -> TraceFrame {
    TraceFrame { module: frame.module, line: frame.line, function: frame.function }
}
