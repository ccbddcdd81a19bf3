//! [`Context`]: a `Vm` in the hands of somebody who may use it.

mod inside;
mod signature;

pub(crate) use signature::arguments_of;

use crate::{
    Class, Error, Fiber, Function, List, Map, Object, ToArgs, ToWren, TraceFrame, Value,
    compiler::What,
    heap::Gc,
    machine::{Ended, Machine},
    object,
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
                fiber.is_awaiting.set(false);
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
        self.new_object_weighing(class, held, size_of::<T>())
    }

    /// As [`new_object`](Self::new_object), where what it holds takes so many bytes of the machine's memory: more than it has itself, if it
    /// owns others.
    ///
    /// # Errors
    /// As there; an error of the program if there is no memory.
    pub fn new_object_weighing<T: Any + Send>(
        &mut self,
        class: &Class,
        held: T,
        bytes: usize,
    ) -> Result<Object, Error> {
        self.breathe();
        self.room(bytes)?;
        let class = self.class_of_handle(&class.0)?;
        if class.foreign().is_none() {
            let name = class.name();
            return Err(Error::Misuse(format!("{} is no foreign class.", name.lossy())));
        }
        let object = self.machine.heap.alloc(object::Foreign::new(class));
        object.put(Box::new(held));
        object.set_weight(bytes);
        self.machine.heap.grow(bytes);
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

    /// Whether a value is plain, or one of this machine's.
    pub fn has(&mut self, value: &Value) -> bool {
        match value {
            Value::List(List(handle))
            | Value::Map(Map(handle))
            | Value::Function(crate::Function(handle))
            | Value::Fiber(Fiber(handle))
            | Value::Class(Class(handle))
            | Value::Object(Object(handle)) => self.unroot(handle).is_ok(),
            _ => true,
        }
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

    /// The calls that are under way in a fiber which doesn't run, the innermost first.
    ///
    /// # Errors
    /// [`Error::Misuse`] if it's another `Vm`'s.
    pub fn trace_of(&mut self, fiber: &Fiber) -> Result<Vec<TraceFrame>, Error> {
        let fiber = self.fiber_of(&fiber.0)?;
        Ok(self.machine.trace(fiber).into_iter().map(inside::frame).collect())
    }

    /// The calls that are under way in the fiber which called the foreign method, the innermost first.
    pub fn trace(&mut self) -> Vec<TraceFrame> {
        let trace = self.machine.fiber.map(|fiber| self.machine.trace(fiber)).unwrap_or_default();
        trace.into_iter().map(inside::frame).collect()
    }
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
