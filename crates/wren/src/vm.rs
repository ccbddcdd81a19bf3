//! [`Vm`], and [`VmBuilder`], which makes one.

use crate::{
    CompileError, Context, Error, FromArgs, Limits, Loader, NoModules, Reply, Run, ToArgs, Value, clock,
    context::Receiver,
    machine::{ForeignExit, ForeignMethod, Host, Machine, Registry, Settings, Watch},
    object::Foreign,
    optional,
    word::Word,
};
use std::{
    any::Any,
    collections::HashMap,
    hash::{BuildHasher, RandomState},
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
};

/// A virtual machine: modules, and everything that their code makes.
///
/// Machines share nothing. One is used by one thread at a time, and may go from thread to thread. What it does to the outside
/// is what it is given: output, a loader, foreign methods.
///
/// ```
/// use std::sync::mpsc;
/// use wren::Vm;
///
/// let (output, printed) = mpsc::channel();
/// let mut vm = Vm::builder().write(move |text| output.send(text.to_owned()).unwrap()).build();
/// vm.run("main", "System.print([1, 2, 3].map {|n| n * n }.join(\" \"))").unwrap();
/// drop(vm);
/// assert_eq!(printed.iter().collect::<String>(), "1 4 9\n");
/// ```
pub struct Vm {
    // A box, so that a program's objects stay where they are when this is moved.
    machine: Box<Machine>,
}

impl Vm {
    /// One with the defaults of [`VmBuilder`].
    pub fn new() -> Self {
        Self::builder().build()
    }

    /// Says what the machine is to be like.
    pub fn builder() -> VmBuilder {
        VmBuilder::default()
    }

    /// What everything else is done with.
    pub fn context(&mut self) -> Context<'_> {
        Context::new(&mut self.machine)
    }

    /// See [`Context::run`]. What it leads to is [`Run::Suspended`] if the module's code suspends its fiber.
    ///
    /// # Errors
    /// As there.
    pub fn run(&mut self, module: &str, source: &str) -> Result<Run, Error> {
        self.context().run(module, source)
    }

    /// See [`Context::call`].
    ///
    /// # Errors
    /// As there.
    pub fn call(
        &mut self,
        receiver: impl Receiver,
        signature: &str,
        args: impl ToArgs,
    ) -> Result<Value, Error> {
        self.context().call(receiver, signature, args)
    }

    /// What stops the program from another thread, or from a signal handler.
    pub fn interrupt(&self) -> Interrupt {
        Interrupt(self.machine.watch.interrupt())
    }
}

impl Default for Vm {
    fn default() -> Self {
        Self::new()
    }
}

impl std::fmt::Debug for Vm {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Vm").field("memory_used", &self.machine.heap.used()).finish_non_exhaustive()
    }
}

/// Stops a [`Vm`]'s program, from wherever.
///
/// ```
/// let mut vm = wren::Vm::new();
/// let interrupt = vm.interrupt();
/// interrupt.now();
/// let stopped = vm.run("main", "while (true) {}").unwrap_err();
/// assert_eq!(stopped.to_string(), "The program was interrupted.\n[main line 1] in (script)");
/// // The next one runs.
/// vm.run("main", "for (i in 1..10000) {}").unwrap();
/// ```
#[derive(Clone, Debug)]
pub struct Interrupt(Arc<AtomicBool>);

impl Interrupt {
    /// Stops what runs, or the next one if nothing does: at the next call or turn of a loop, give or take two thousand. It
    /// fails with [`Error::Interrupted`], which no `try` of the program catches.
    pub fn now(&self) {
        self.0.store(true, Ordering::Relaxed);
    }
}

/// What a [`Vm`] is to be like.
#[must_use = "build makes the machine"]
pub struct VmBuilder {
    memory: usize,
    depth: usize,
    fibers: usize,
    modules: HashMap<String, String>,
    guard: Option<Box<dyn FnMut() -> Option<String> + Send>>,
    steps: Option<u64>,
    limits: Limits,
    seed: Option<u64>,
    collects_always: bool,
    write: Box<dyn FnMut(&str) + Send>,
    report: Box<dyn FnMut(&CompileError) + Send>,
    loader: Box<dyn Loader>,
    clock: Box<dyn Fn() -> f64 + Send>,
    foreign: Registry,
}

impl Default for VmBuilder {
    fn default() -> Self {
        let mut foreign = Registry::default();
        optional::register(&mut foreign);
        Self {
            memory: 1 << 30,
            depth: 20_000,
            fibers: usize::MAX,
            modules: HashMap::new(),
            guard: None,
            steps: None,
            limits: Limits::default(),
            seed: None,
            collects_always: false,
            write: Box::new(|_| {}),
            report: Box::new(|_| {}),
            loader: Box::new(NoModules),
            clock: clock::since_now(),
            foreign,
        }
    }
}

impl VmBuilder {
    /// Most bytes that objects may take together; 1 GiB unless it's set, and never less than 256 KiB. A program that wants
    /// more fails with `Out of memory.`
    pub fn memory(mut self, bytes: usize) -> Self {
        self.memory = bytes.max(256 << 10);
        self
    }

    /// Most calls that may be under way in one fiber; 20,000 unless it's set. A program that wants more fails with
    /// `Stack overflow.`
    pub fn depth(mut self, calls: usize) -> Self {
        self.depth = calls.max(8);
        self
    }

    /// Most fibers that the program may have at once, those that wait for the collector not counted; as many as its memory has
    /// room for, unless it's set. `Fiber.new` fails then with `Too many fibers: …`
    ///
    /// ```
    /// let mut vm = wren::Vm::builder().fibers(100).build();
    /// vm.run("main", "for (i in 1..1000) Fiber.new { i }.call()").unwrap();
    /// let error = vm.run("main", "var all = (1..1000).map {|i| Fiber.new { i } }.toList").unwrap_err();
    /// assert!(error.to_string().starts_with("Too many fibers: there are 100 already."));
    /// ```
    pub fn fibers(mut self, fibers: usize) -> Self {
        self.fibers = fibers.max(1);
        self
    }

    /// A module of the host's own: whoever imports this name gets this source, whatever the [loader](Self::loader) has.
    ///
    /// ```
    /// let mut vm = wren::Vm::builder().module("host", "var Name = \"Ferry\"").build();
    /// vm.run("main", "import \"host\" for Name").unwrap();
    /// assert_eq!(vm.context().variable("main", "Name"), Some("Ferry".into()));
    /// ```
    pub fn module(mut self, name: &str, source: &str) -> Self {
        self.modules.insert(name.to_owned(), source.to_owned());
        self
    }

    /// Is asked every two thousand steps or so whether the program must stop, and gives why. It stops with
    /// [`Error::Stopped`], which no `try` catches.
    ///
    /// ```
    /// let mut looks = 0;
    /// let guard = move || {
    ///     looks += 1;
    ///     (looks > 3).then(|| "The program takes too long.".to_owned())
    /// };
    /// let mut vm = wren::Vm::builder().guard(guard).build();
    /// let error = vm.run("main", "while (true) {}").unwrap_err();
    /// assert_eq!(error.to_string(), "The program takes too long.\n[main line 1] in (script)");
    /// ```
    pub fn guard(mut self, guard: impl FnMut() -> Option<String> + Send + 'static) -> Self {
        self.guard = Some(Box::new(guard));
        self
    }

    /// Most steps that the program may take, until [`Context::set_steps`]; as many as it wants, unless it's set. A step is a
    /// call of a function, or a turn of a loop. At the end it stops with [`Error::OutOfSteps`], which no `try` catches.
    ///
    /// ```
    /// let mut vm = wren::Vm::builder().steps(1_000).build();
    /// assert!(matches!(vm.run("main", "while (true) {}"), Err(wren::Error::OutOfSteps(_))));
    /// ```
    pub fn steps(mut self, steps: u64) -> Self {
        self.steps = Some(steps);
        self
    }

    /// How much of a source the compiler takes.
    pub fn limits(mut self, limits: Limits) -> Self {
        self.limits = limits;
        self
    }

    /// What generators of random numbers are seeded with that the program gives no seed; by chance, unless it's set.
    pub fn seed(mut self, seed: u64) -> Self {
        self.seed = Some(seed);
        self
    }

    /// Collects garbage whenever that may be done: at each step, and in each call of the host's. That is very slow, and shows what
    /// somebody holds who shouldn't: for tests.
    pub fn collect_always(mut self) -> Self {
        self.collects_always = true;
        self
    }

    /// Gets what the program prints; it's dropped unless this is set. Bytes that are no text are replaced.
    pub fn write(mut self, write: impl FnMut(&str) + Send + 'static) -> Self {
        self.write = Box::new(write);
        self
    }

    /// Is told of each error in a module that the program imports, or in code that it has `Meta` compile. Errors that end a
    /// run are those that its call gives.
    pub fn report(mut self, report: impl FnMut(&CompileError) + Send + 'static) -> Self {
        self.report = Box::new(report);
        self
    }

    /// Where imported modules come from; there are none but `meta` and `random` unless it's set.
    pub fn loader(mut self, loader: impl Loader + 'static) -> Self {
        self.loader = Box::new(loader);
        self
    }

    /// The time in seconds, for `System.clock`; since the builder was made, unless it's set. On wasm32-unknown-unknown there is
    /// no clock otherwise.
    pub fn clock(mut self, clock: impl Fn() -> f64 + Send + 'static) -> Self {
        self.clock = Box::new(clock);
        self
    }

    /// What a class's method does that is declared as `foreign`. The signature is as in error messages, with `static ` in
    /// front if it's the class's own; the arguments are a tuple. [`Context::receiver`] is what it was called on.
    ///
    /// # Panics
    /// If the signature has another number of arguments than the tuple.
    ///
    /// ```
    /// use wren::{Context, Error, Function, Vm};
    ///
    /// let mut vm = Vm::builder()
    ///     .method("main", "Host", "static add(_,_)", |_: &mut Context<'_>, (a, b): (f64, f64)| a + b)
    ///     // Calls what it was given, in the middle of being called.
    ///     .method("main", "Host", "static twice(_)", |cx: &mut Context<'_>, (f,): (Function,)| {
    ///         cx.call(&f, "call()", ())?;
    ///         cx.call(&f, "call()", ())
    ///     })
    ///     .build();
    /// vm.run("main", "
    /// class Host {
    ///   foreign static add(a, b)
    ///   foreign static twice(f)
    /// }
    /// var n = 1
    /// var result = Host.twice { n = Host.add(n, n) }
    /// ").unwrap();
    /// assert_eq!(vm.context().variable("main", "result"), Some(4.0.into()));
    ///
    /// let failed = vm.run("main", "Host.add(1, \"2\")").unwrap_err();
    /// assert_eq!(failed.to_string(), "Argument 2 must be a number.\n[main line 1] in (script)");
    /// ```
    pub fn method<A: FromArgs, R: Reply>(
        mut self,
        module: &str,
        class: &str,
        signature: &str,
        method: impl Fn(&mut Context<'_>, A) -> R + Send + Sync + 'static,
    ) -> Self {
        check_count::<A>(signature);
        let method: ForeignMethod = Arc::new(move |cx, args| {
            let args = arguments::<A>(cx, args)?;
            let given = method(cx, args);
            answer(cx, given)
        });
        self.foreign.add_method(module, class, signature, method);
        self
    }

    /// How an object of a class is made that is declared as `foreign`: what this gives is what it holds. All constructors of
    /// the class call it; with as many arguments as the tuple has, the missing ones being null.
    ///
    /// ```
    /// use wren::{Context, Vm};
    ///
    /// let mut vm = Vm::builder()
    ///     .class("main", "Counter", |_: &mut Context<'_>, (start,): (f64,)| Ok(start))
    ///     .method_of("main", "Counter", "next()", |count: &mut f64, _: &mut Context<'_>, ()| {
    ///         *count += 1.0;
    ///         *count
    ///     })
    ///     .build();
    /// vm.run("main", "
    /// foreign class Counter {
    ///   construct new(start) {}
    ///   foreign next()
    /// }
    /// var counter = Counter.new(5)
    /// counter.next()
    /// var result = counter.next()
    /// ").unwrap();
    /// assert_eq!(vm.context().variable("main", "result"), Some(7.0.into()));
    /// ```
    pub fn class<A: FromArgs, T: Any + Send>(
        mut self,
        module: &str,
        class: &str,
        constructor: impl Fn(&mut Context<'_>, A) -> Result<T, Error> + Send + Sync + 'static,
    ) -> Self {
        let constructor: ForeignMethod = Arc::new(move |cx, args| {
            let typed = arguments::<A>(cx, args)?;
            let held = constructor(cx, typed).map_err(|error| cx.exit(error))?;
            if let Some(object) = args[0].get::<Foreign>() {
                object.put(Box::new(held));
                object.set_weight(size_of::<T>());
                cx.machine().heap.grow(size_of::<T>());
            }
            Ok(args[0])
        });
        self.foreign.add_class(module, class, constructor);
        self
    }

    /// As [`method`](Self::method), of an object that holds a `T`. While the method has it in hand, no other one can.
    ///
    /// # Panics
    /// As there.
    pub fn method_of<T: Any + Send, A: FromArgs, R: Reply>(
        mut self,
        module: &str,
        class: &str,
        signature: &str,
        method: impl Fn(&mut T, &mut Context<'_>, A) -> R + Send + Sync + 'static,
    ) -> Self {
        check_count::<A>(signature);
        let method: ForeignMethod = Arc::new(move |cx, args| {
            let typed = arguments::<A>(cx, args)?;
            let given = cx.with_held(args[0], |held: &mut T, cx| method(held, cx, typed));
            match given {
                Ok(given) => answer(cx, given),
                Err(message) => Err(cx.error_exit(&message)),
            }
        });
        self.foreign.add_method(module, class, signature, method);
        self
    }

    /// Makes the machine.
    pub fn build(self) -> Vm {
        let host = Host {
            write: self.write,
            report: self.report,
            loader: self.loader,
            modules: self.modules,
            guard: self.guard,
            clock: self.clock,
        };
        let seed = self.seed.unwrap_or_else(|| RandomState::new().hash_one(0x5eed));
        let mut watch = Watch::new(self.steps);
        watch.collects_always = self.collects_always;
        let settings = Settings {
            memory: self.memory,
            max_depth: self.depth,
            max_fibers: self.fibers,
            limits: self.limits,
            host,
            foreign: self.foreign,
            watch,
            seed,
        };
        Vm { machine: Box::new(Machine::new(settings)) }
    }
}

impl std::fmt::Debug for VmBuilder {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("VmBuilder")
            .field("memory", &self.memory)
            .field("depth", &self.depth)
            .field("steps", &self.steps)
            .finish_non_exhaustive()
    }
}

fn check_count<A: FromArgs>(signature: &str) {
    let signature = signature.strip_prefix("static ").unwrap_or(signature);
    assert_eq!(
        crate::context::arguments_of(signature),
        Some(A::COUNT),
        "the signature `{signature}` does not have the {} arguments of the closure",
        A::COUNT
    );
}

fn arguments<A: FromArgs>(cx: &mut Context<'_>, args: &[Word]) -> Result<A, ForeignExit> {
    let values = args[1..].iter().map(|word| cx.value(*word)).collect();
    A::from_args(values, cx).map_err(|error| cx.exit(error))
}

fn answer(cx: &mut Context<'_>, given: impl Reply) -> Result<Word, ForeignExit> {
    match given.reply(cx) {
        Ok(Some(value)) => cx.word(&value).map_err(|error| cx.exit(error)),
        Ok(None) => Err(ForeignExit::Suspend),
        Err(error) => Err(cx.exit(error)),
    }
}
