//! [`Context`]: a `Vm` in the hands of somebody who may use it.

use crate::{
    Class, CompileError, Error, Fiber, Function, Handle, List, Map, Object, Range, RuntimeError, ToArgs,
    ToWren, TraceFrame, Value,
    compiler::What,
    heap::Gc,
    machine::{Ended, Failure, ForeignExit, Machine, Stop},
    object::{self, Kind},
    word::Word,
};
use std::any::Any;

/// So many calls of the host may be under way within each other: each takes some of the thread's stack.
const MOST_NESTED: usize = 30;

/// A [`Vm`](crate::Vm), for those who run code on it: the host, between its calls, and a foreign method, in the middle of one.
///
/// Values that it gives are plain or held by a handle, so none of them is ever gone.
pub struct Context<'vm> {
    machine: &'vm mut Machine,
    /// The object whose method was called.
    receiver: Word,
}

/// What a run comes to.
#[derive(Clone, Debug, PartialEq)]
pub enum Run {
    /// It's over, with this value.
    Done(Value),
    /// This fiber waits: [`Context::resume`] goes on with it.
    Suspended(Fiber),
}

impl<'vm> Context<'vm> {
    pub(crate) fn new(machine: &'vm mut Machine) -> Self {
        Self { machine, receiver: Word::NULL }
    }

    pub(crate) fn of_method(machine: &'vm mut Machine, receiver: Word) -> Self {
        Self { machine, receiver }
    }

    pub(crate) fn machine(&mut self) -> &mut Machine {
        self.machine
    }

    /// In a foreign method: the object, or the class, that it was called on. `null` otherwise.
    pub fn receiver(&mut self) -> Value {
        self.value(self.receiver)
    }

    // Running.

    /// Compiles a source, and runs it in a module of this name, which goes on if there is one already.
    ///
    /// # Errors
    /// What is wrong with the source, what the program failed with, or what stopped it.
    ///
    /// ```
    /// use wren::{Run, Value, Vm};
    ///
    /// let mut vm = Vm::new();
    /// let mut cx = vm.context();
    /// assert_eq!(cx.run("main", "var answer = 6 * 7"), Ok(Run::Done(Value::Null)));
    /// assert_eq!(cx.variable("main", "answer"), Some(Value::Num(42.0)));
    /// ```
    pub fn run(&mut self, module: &str, source: &str) -> Result<Run, Error> {
        self.run_as(module, source, What::Module)
    }

    /// The value of one expression, in a module of this name.
    ///
    /// # Errors
    /// As [`run`](Self::run).
    ///
    /// ```
    /// let mut vm = wren::Vm::new();
    /// let value = vm.context().eval("main", "(1..4).map {|n| n * n }.toList.count").unwrap();
    /// assert_eq!(value, wren::Run::Done(wren::Value::Num(4.0)));
    /// ```
    pub fn eval(&mut self, module: &str, expression: &str) -> Result<Run, Error> {
        self.run_as(module, expression, What::Expression)
    }

    fn run_as(&mut self, module: &str, source: &str, what: What) -> Result<Run, Error> {
        self.breathe();
        let module = self.machine.module(module);
        let code = self.machine.compile(module, source, what).map_err(Error::Compile)?;
        let fiber = self.machine.new_fiber(code);
        fiber.state.set(object::State::Root);
        fiber.set_started();
        self.run_fiber(fiber)
    }

    /// Calls a method, and waits for what it gives.
    ///
    /// The signature is that of Wren's own messages: `name`, `name=(_)`, `name(_,_)`, `[_]`, `+(_)`.
    ///
    /// # Errors
    /// What the program failed with, or what stopped it; [`Error::Suspended`] if it suspended its fiber;
    /// [`Error::Misuse`] if the number of arguments is not the signature's, or a handle is another `Vm`'s.
    ///
    /// ```
    /// let mut vm = wren::Vm::new();
    /// let mut cx = vm.context();
    /// let list = cx.new_list().unwrap();
    /// cx.call(&list, "add(_)", (1.5,)).unwrap();
    /// assert_eq!(cx.call(&list, "toString", ()), Ok("[1.5]".into()));
    /// ```
    pub fn call(
        &mut self,
        receiver: impl Receiver,
        signature: &str,
        args: impl ToArgs,
    ) -> Result<Value, Error> {
        let fiber = self.prepare(receiver, signature, args)?;
        match self.run_fiber(fiber)? {
            Run::Done(value) => Ok(value),
            Run::Suspended(_) => Err(Error::Suspended),
        }
    }

    /// Calls a method in a fiber of its own, which may suspend itself.
    ///
    /// # Errors
    /// As [`call`](Self::call).
    pub fn start(
        &mut self,
        receiver: impl Receiver,
        signature: &str,
        args: impl ToArgs,
    ) -> Result<Run, Error> {
        let fiber = self.prepare(receiver, signature, args)?;
        self.run_fiber(fiber)
    }

    /// Runs a fiber that is new, or waits for the host, giving it a value: its argument, or the result of what it waits for.
    /// Or the error that this fails with.
    ///
    /// # Errors
    /// As [`call`](Self::call); [`Error::Misuse`] if the fiber runs, is called by another, or is done.
    ///
    /// ```
    /// use wren::{Error, Run, Value, Vm};
    ///
    /// let mut vm = Vm::new();
    /// let mut cx = vm.context();
    /// let Ok(Run::Suspended(fiber)) = cx.run("main", "var got = Fiber.yield()\nFiber.suspend()") else { panic!() };
    /// cx.resume(&fiber, Ok(Value::from("hello"))).unwrap();
    /// assert_eq!(cx.variable("main", "got"), Some("hello".into()));
    /// let failed = cx.resume(&fiber, Err(Error::new("no more"))).unwrap_err();
    /// assert_eq!(failed.to_string(), "no more\n[main line 2] in (script)");
    /// ```
    pub fn resume(&mut self, fiber: &Fiber, with: Result<Value, Error>) -> Result<Run, Error> {
        self.breathe();
        let fiber = self.fiber_of(&fiber.0)?;
        if fiber.is_done() || fiber.held_by_host.get() > 0 || !(fiber.is_suspended.get() || fiber.is_new()) {
            return Err(Error::Misuse("The fiber does not wait for the host.".to_owned()));
        }
        match with {
            Ok(value) => {
                let word = self.word(&value)?;
                self.machine.give(fiber, word);
            }
            Err(error) => {
                let word = self.error_word(error)?;
                if fiber.is_new() {
                    self.machine.give(fiber, Word::NULL);
                }
                fiber.is_suspended.set(false);
                fiber.error.set(word);
            }
        }
        self.run_fiber(fiber)
    }

    /// In a foreign method: the fiber that called it.
    pub fn current_fiber(&mut self) -> Option<Fiber> {
        self.machine.fiber.map(|fiber| Fiber(self.root(Word::object(fiber))))
    }

    /// A fiber that will call a function of one parameter or none: [`resume`](Self::resume) starts it.
    ///
    /// # Errors
    /// [`Error::Misuse`] if it takes more, or is another `Vm`'s.
    pub fn new_fiber(&mut self, function: &Function) -> Result<Fiber, Error> {
        self.breathe();
        let word = self.unroot(&function.0)?;
        let closure = word.get::<object::Closure>().filter(|closure| closure.function.arity <= 1);
        let Some(closure) = closure else {
            return Err(Error::Misuse("A fiber's function takes one parameter at most.".to_owned()));
        };
        let fiber = self.machine.new_fiber(closure);
        Ok(Fiber(self.root(Word::object(fiber))))
    }

    /// A fiber at the beginning of a call.
    fn prepare(
        &mut self,
        receiver: impl Receiver,
        signature: &str,
        args: impl ToArgs,
    ) -> Result<Gc<object::Fiber>, Error> {
        let receiver = receiver.receiver(self)?;
        let args = args.to_args(self)?;
        let count = arguments_of(signature).filter(|count| *count == args.len());
        if count.is_none() {
            return Err(Error::Misuse(format!(
                "The signature '{signature}' does not fit {} arguments.",
                args.len()
            )));
        }
        self.breathe();
        // What these words lead to is held by the values, as long as they are here.
        let mut words = vec![self.word(&receiver)?];
        for arg in &args {
            words.push(self.word(arg)?);
        }
        let Some(stub) = self.machine.stub(signature, args.len() as u8) else {
            return Err(Error::Misuse("There are too many method signatures.".to_owned()));
        };
        let fiber = self.machine.new_fiber(stub);
        fiber.set_arguments(&words);
        fiber.state.set(object::State::Root);
        fiber.set_started();
        Ok(fiber)
    }

    fn run_fiber(&mut self, fiber: Gc<object::Fiber>) -> Result<Run, Error> {
        if self.machine.nesting() >= MOST_NESTED {
            return Err(Error::new("Stack overflow: too many calls of foreign methods lie in each other."));
        }
        let is_outermost = self.machine.fiber.is_none();
        let ended = self.machine.run_inside(fiber);
        let run = match ended {
            Ok(Ended::Finished { fiber: done, value }) if done == fiber || is_outermost => {
                Ok(Run::Done(self.value(value)))
            }
            // Another one came to its end, to which it had transferred.
            Ok(Ended::Finished { .. }) => Ok(Run::Suspended(Fiber(self.root(Word::object(fiber))))),
            Ok(Ended::Suspended { fiber }) => Ok(Run::Suspended(Fiber(self.root(Word::object(fiber))))),
            Err(failure) => Err(self.error_of(failure)),
        };
        if is_outermost && matches!(run, Err(Error::Interrupted(_))) {
            self.machine.forget_interrupt();
        }
        run
    }

    // Variables.

    /// A variable of a module.
    pub fn variable(&mut self, module: &str, name: &str) -> Option<Value> {
        let module = *self.machine.module_ids.get(module)?;
        let word = self.machine.variable(module, name)?;
        Some(self.value(word))
    }

    /// Gives a variable of a module another value. `false` if there's no such variable.
    ///
    /// # Errors
    /// As [`ToWren`].
    pub fn set_variable(&mut self, module: &str, name: &str, value: impl ToWren) -> Result<bool, Error> {
        let word = self.word_of(value)?;
        let Some(module) = self.machine.module_ids.get(module).copied() else { return Ok(false) };
        Ok(self.machine.set_variable(module, name, word))
    }

    /// The names of a module's variables.
    pub fn variables(&mut self, module: &str) -> Vec<String> {
        let module = self.machine.module_ids.get(module).copied();
        module.map_or_else(Vec::new, |module| self.machine.modules[module.0 as usize].names().to_vec())
    }

    /// One of the core classes, such as `List`.
    pub fn core_class(&mut self, name: &str) -> Option<Class> {
        let word = self.machine.core_variable(name).filter(|word| word.is::<object::Class>())?;
        Some(Class(self.root(word)))
    }

    // Values.

    /// An empty list.
    ///
    /// # Errors
    /// An error of the program if there is no memory.
    pub fn new_list(&mut self) -> Result<List, Error> {
        self.breathe();
        self.room(64)?;
        let word = self.machine.new_list(Vec::new());
        Ok(List(self.root(word)))
    }

    /// An empty map.
    ///
    /// # Errors
    /// An error of the program if there is no memory.
    pub fn new_map(&mut self) -> Result<Map, Error> {
        self.breathe();
        self.room(96)?;
        let map = self.machine.new_map();
        Ok(Map(self.root(Word::object(map))))
    }

    /// An object of a foreign class, which holds something of the host's. Its constructor is not called.
    ///
    /// # Errors
    /// [`Error::Misuse`] if the class is not foreign, or another `Vm`'s.
    pub fn new_object<T: Any + Send>(&mut self, class: &Class, held: T) -> Result<Object, Error> {
        self.breathe();
        let class = self.class_of_handle(&class.0)?;
        if class.foreign().is_none() {
            let name = class.name();
            return Err(Error::Misuse(format!("{} is no foreign class.", name.lossy())));
        }
        let object = self.machine.heap.alloc(object::Foreign::new(class));
        object.put(Box::new(held));
        Ok(Object(self.root(Word::object(object))))
    }

    /// Uses what an object of a foreign class holds.
    ///
    /// # Errors
    /// [`Error::Misuse`] if it holds nothing, or something else, or if it is in use already.
    pub fn with_object<T: Any + Send, R>(
        &mut self,
        object: &Object,
        use_it: impl FnOnce(&mut T, &mut Context<'_>) -> R,
    ) -> Result<R, Error> {
        let word = self.unroot(&object.0)?;
        self.with_held(word, use_it).map_err(Error::Misuse)
    }

    /// What went wrong is told in words.
    pub(crate) fn with_held<T: Any + Send, R>(
        &mut self,
        word: Word,
        use_it: impl FnOnce(&mut T, &mut Context<'_>) -> R,
    ) -> Result<R, String> {
        let Some(object) = word.get::<object::Foreign>() else {
            return Err("The object is not of a foreign class.".to_owned());
        };
        let Some(held) = object.take() else {
            return Err(if object.is_made() {
                "The object is in use by a method that called this one.".to_owned()
            } else {
                "The object was not made by its constructor.".to_owned()
            });
        };
        /// Puts it back, whatever happens.
        struct Back(Gc<object::Foreign>, Option<Box<dyn Any + Send>>);
        impl Drop for Back {
            fn drop(&mut self) {
                if let Some(held) = self.1.take() {
                    self.0.put(held);
                }
            }
        }
        let mut back = Back(object, Some(held));
        let held = back.1.as_mut().and_then(|held| held.downcast_mut::<T>());
        let result = held.map(|held| use_it(held, self));
        result.ok_or_else(|| "The object holds something else than the method wants.".to_owned())
    }

    // The machine itself.

    /// The bytes that objects take.
    pub fn memory_used(&mut self) -> usize {
        self.machine.heap.used()
    }

    /// Frees what nothing leads to, and gives the bytes that are left.
    pub fn collect_garbage(&mut self) -> usize {
        self.machine.collect();
        self.machine.heap.used()
    }

    /// The steps that were taken so far. A step is a call of a function of the program, or a turn of a loop.
    pub fn steps(&mut self) -> u64 {
        self.machine.steps()
    }

    /// Gives the program so many steps from now on; `None`: as many as it wants.
    pub fn set_steps(&mut self, steps: Option<u64>) {
        self.machine.set_budget(steps);
    }

    /// The steps that are left; `None`: as many as it wants.
    pub fn steps_left(&mut self) -> Option<u64> {
        self.machine.budget()
    }

    /// The calls that are under way in the fiber which called the foreign method, the innermost first.
    pub fn trace(&mut self) -> Vec<TraceFrame> {
        let trace = self.machine.fiber.map(|fiber| self.machine.trace(fiber)).unwrap_or_default();
        trace.into_iter().map(frame).collect()
    }

    // Words and values.

    /// A safe point: what is held by handles and on stacks stays.
    fn breathe(&mut self) {
        if self.machine.heap.is_due() {
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

    fn root(&self, word: Word) -> Handle {
        self.machine.roots.root(word)
    }

    fn unroot(&self, handle: &Handle) -> Result<Word, Error> {
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

    fn object<T: crate::heap::Object>(&mut self, handle: &Handle) -> Result<Gc<T>, Error> {
        let object = self.unroot(handle)?.get();
        object.ok_or_else(|| Error::Misuse("The handle stands for something else.".to_owned()))
    }

    // Errors.

    fn error_of(&mut self, failure: Failure) -> Error {
        let trace = failure.trace.into_iter().map(frame).collect();
        match failure.stop {
            Some(Stop::Interrupted) => Error::Interrupted(trace),
            Some(Stop::OutOfSteps) => Error::OutOfSteps(trace),
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
    fn error_word(&mut self, error: Error) -> Result<Word, Error> {
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

fn frame(frame: crate::machine::TraceFrame) -> TraceFrame {
    TraceFrame { module: frame.module, line: frame.line, function: frame.function }
}

/// How many arguments a signature has; `None` if it is none.
pub(crate) fn arguments_of(signature: &str) -> Option<usize> {
    let is_list = |list: &str| list.is_empty() || list.split(',').all(|place| place == "_");
    let count = signature.matches('_').count();
    let rest = match signature.find(['(', '[']) {
        None => return (!signature.is_empty() && !signature.contains(',')).then_some(0),
        Some(start) => &signature[start..],
    };
    let mut counted = 0;
    let mut left = rest;
    while !left.is_empty() {
        let (open, close) = match left.as_bytes()[0] {
            b'(' => ('(', ')'),
            b'[' => ('[', ']'),
            b'=' => {
                left = &left[1..];
                continue;
            }
            _ => return None,
        };
        let inner = left.strip_prefix(open)?;
        let end = inner.find(close)?;
        if !is_list(&inner[..end]) {
            return None;
        }
        counted += inner[..end].matches('_').count();
        left = &inner[end + 1..];
    }
    // A name may have the character too.
    (counted <= count && counted <= 17).then_some(counted)
}

/// What a method can be called on.
pub trait Receiver {
    /// The value.
    ///
    /// # Errors
    /// Whatever keeps it from being one.
    fn receiver(self, cx: &mut Context<'_>) -> Result<Value, Error>;
}

impl<T: ToWren> Receiver for T {
    fn receiver(self, cx: &mut Context<'_>) -> Result<Value, Error> {
        self.to_wren(cx)
    }
}

macro_rules! receivers {
    ($($name:ident)*) => {$(
        impl Receiver for &$name {
            fn receiver(self, _cx: &mut Context<'_>) -> Result<Value, Error> {
                Ok(self.clone().into())
            }
        }
    )*};
}

receivers!(Value List Map Function Fiber Class Object);
