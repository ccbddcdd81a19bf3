//! [`Vm`], what makes one, and its handle for other threads.

use crate::{
    home::{Home, Parts, Report, Settings, current},
    host::Functions,
    limits::Stopwatch,
    mail::{Shared, What, read},
    modules,
    park::{By, Item, Park, wait},
};
use asyncferry::{
    Failure, Instant, TaskHandle, Value, ValueLimits,
    jobs::{AlreadyRegistered, Pool},
    spawn_local,
    value::{from_value, to_value_within},
};
use futures_core::Stream;
use serde::{Serialize, de::DeserializeOwned};
use std::{cell::RefMut, error::Error as StdError, fmt, future::Future, rc::Rc, sync::Arc, time::Duration};
use wren::{CompileError, Context, FromArgs, Loader, TraceFrame};

/// A machine for scripts, on the loop of this thread. What it runs are tasks of that loop.
///
/// Dropping it drops its tasks where they wait, and tells who waits for its scripts that they are gone.
///
/// See [the crate](crate) for an example.
pub struct Vm {
    home: Rc<Home>,
    reader: TaskHandle<()>,
}

impl Vm {
    /// Says what it's to be like.
    pub fn builder() -> VmBuilder {
        VmBuilder::default()
    }

    /// One with the defaults of [`VmBuilder`].
    ///
    /// # Panics
    /// Outside of a loop.
    pub fn new() -> Self {
        Self::builder().build()
    }

    /// Runs a source in a module of this name, up to the end of its own code: what it has spawned may still run. The module goes on if
    /// there is one already.
    ///
    /// # Errors
    /// A [`ScriptError`](crate::ScriptError) in a [`Failure::Failed`]: what is wrong with the source, what it failed with, or what stopped it.
    ///
    /// # Cancel safety
    /// Dropping it cancels the code, where it waits.
    ///
    /// ```
    /// use asyncferry::{AsyncRuntime, Order};
    /// use asyncferry_wren::{ScriptError, Vm};
    ///
    /// AsyncRuntime::block_on_virtual(Order::Fifo, async {
    ///     let vm = Vm::new();
    ///     let failure = vm.run("main", "import \"async\" for Async\nAsync.await(7)").await.unwrap_err();
    ///     let error = ScriptError::of(&failure).unwrap();
    ///     assert_eq!(error.to_string(), "future not found\n[main line 2] in (script)");
    /// });
    /// ```
    pub async fn run(&self, module: &str, source: &str) -> Result<(), Failure> {
        let what = What::Module { name: module.to_owned(), source: source.to_owned() };
        self.home.shared.ask(what).await.map(drop)
    }

    /// Calls a method of what a module's variable holds, such as `Rules.check(_)`, and waits for what it gives. It runs in a fiber of its
    /// own, which may wait. The arguments are a tuple or a list, as many as the signature has.
    ///
    /// # Errors
    /// As [`run`](Self::run); and when a value can't cross.
    ///
    /// # Cancel safety
    /// Dropping it cancels the fiber, where it waits.
    pub async fn call_async<R: DeserializeOwned>(
        &self,
        module: &str,
        method: &str,
        arguments: impl Serialize,
    ) -> Result<R, Failure> {
        self.handle().call_async(module, method, arguments).await
    }

    /// Waits until nothing of it goes on by itself: each task has ended, or waits for what only others can do, such as a channel that
    /// nobody sends to.
    ///
    /// # Cancel safety
    /// Dropping it changes nothing.
    ///
    /// ```
    /// use asyncferry::{AsyncRuntime, Order};
    /// use asyncferry_wren::Vm;
    ///
    /// AsyncRuntime::block_on_virtual(Order::Fifo, async {
    ///     let vm = Vm::new();
    ///     let source = "import \"async\" for Async, Channel\nAsync.spawn { Async.sleep(1000) }\nvar c = Channel.new()\n\
    ///                   Async.spawn { c.receive() }";
    ///     vm.run("main", source).await.unwrap();
    ///     assert_eq!(vm.run_until_idle().await.waiting, 1);
    /// });
    /// ```
    pub async fn run_until_idle(&self) -> Idle {
        self.home.idle().await;
        Idle { waiting: self.home.live_tasks(), progress: self.home.progress() }
    }

    /// Where fibers wait for what only others can do: the calls that are under way in each, the innermost first.
    pub fn parked(&self) -> Vec<Vec<TraceFrame>> {
        self.home.traces()
    }

    /// Lets scripts call an async function by this name: `Async.call(name, arguments)`. It takes one argument, a tuple or a struct for
    /// several, and runs on the loop of this thread. Its future is polled first inside of the script's call, where
    /// [`with_context`](Self::with_context) can't be used.
    ///
    /// # Errors
    /// [`AlreadyRegistered`].
    pub fn register_async<A, F, R, E>(
        &self,
        name: &str,
        function: impl Fn(A) -> F + 'static,
    ) -> Result<(), AlreadyRegistered>
    where
        A: DeserializeOwned,
        F: Future<Output = Result<R, E>> + 'static,
        R: Serialize,
        E: Into<Box<dyn StdError + Send + Sync>>,
    {
        self.functions().add(&self.home, name, function)
    }

    /// Lets scripts take the items of a stream: `for (item in Async.stream(name, arguments)) …`. The next one is asked for when the
    /// script wants it.
    ///
    /// # Errors
    /// [`AlreadyRegistered`].
    ///
    /// ```
    /// use asyncferry::{AsyncRuntime, Order, stream};
    /// use asyncferry_wren::Vm;
    /// use std::io;
    ///
    /// AsyncRuntime::block_on_virtual(Order::Fifo, async {
    ///     let vm = Vm::new();
    ///     vm.register_stream("count", |to: i64| stream::iter((1..=to).map(Ok::<_, io::Error>))).unwrap();
    ///     let source = "import \"async\" for Async\nvar sum = 0\nfor (n in Async.stream(\"count\", [4])) sum = sum + n";
    ///     vm.run("main", source).await.unwrap();
    ///     assert_eq!(vm.with_context(|cx| cx.variable("main", "sum")), Some(10.0.into()));
    /// });
    /// ```
    pub fn register_stream<A, S, R, E>(
        &self,
        name: &str,
        function: impl Fn(A) -> S + 'static,
    ) -> Result<(), AlreadyRegistered>
    where
        A: DeserializeOwned,
        S: Stream<Item = Result<R, E>> + 'static,
        R: Serialize,
        E: Into<Box<dyn StdError + Send + Sync>>,
    {
        self.functions().add_stream(&self.home, name, function)
    }

    fn functions(&self) -> RefMut<'_, Functions> {
        self.home.functions.borrow_mut()
    }

    /// Does something with the machine itself. Code that is run in here can't wait for anything.
    ///
    /// # Panics
    /// In a method that a script calls.
    pub fn with_context<R>(&self, act: impl FnOnce(&mut Context<'_>) -> R) -> R {
        let done = self.home.enter(act);
        self.home.forget_park();
        done
    }

    /// The machine, for other threads.
    pub fn handle(&self) -> VmHandle {
        VmHandle { shared: self.home.shared.clone(), values: *self.home.limits() }
    }

    /// The pool whose jobs scripts call.
    pub fn pool(&self) -> &Pool {
        &self.home.pool
    }
}

impl Default for Vm {
    fn default() -> Self {
        Self::new()
    }
}

impl fmt::Debug for Vm {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Vm").field("tasks", &self.home.live_tasks()).finish_non_exhaustive()
    }
}

impl Drop for Vm {
    fn drop(&mut self) {
        self.home.shared.close();
        self.reader.abort();
        let names = std::mem::take(&mut self.functions().in_pool);
        for name in names {
            self.home.pool.unregister(&name);
        }
        self.home.drop_tasks();
        modules::restore_terminal();
    }
}

/// What [`Vm::run_until_idle`] found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Idle {
    /// Tasks that wait for what only others can do.
    pub waiting: usize,
    /// Grows whenever a fiber goes on: equal if nothing did in between.
    pub progress: u64,
}

/// A [`Vm`] for other threads. It may outlive it: what's asked for then fails.
#[derive(Clone)]
pub struct VmHandle {
    shared: Arc<Shared>,
    values: ValueLimits,
}

impl VmHandle {
    /// See [`Vm::call_async`].
    ///
    /// # Errors
    /// As there.
    ///
    /// # Cancel safety
    /// As there.
    pub async fn call_async<R: DeserializeOwned>(
        &self,
        module: &str,
        method: &str,
        arguments: impl Serialize,
    ) -> Result<R, Failure> {
        let arguments = to_value_within(&arguments, &self.values).map_err(Failure::from_error)?;
        let arguments = match arguments {
            Value::List(arguments) => arguments,
            Value::Null => Vec::new(),
            one => vec![one],
        };
        let Some((variable, signature)) = method.split_once('.') else {
            return Err(Failure::from_error(format!(
                "'{method}' must be a variable and a method's signature, as Rules.check(_)"
            )));
        };
        let what = What::Method {
            module: module.to_owned(),
            variable: variable.to_owned(),
            signature: signature.to_owned(),
            arguments,
        };
        from_value(&self.shared.ask(what).await?).map_err(Failure::from_error)
    }

    /// See [`Vm::run_until_idle`]; `None` once the `Vm` is gone.
    ///
    /// # Cancel safety
    /// As there.
    pub async fn run_until_idle(&self) -> Option<Idle> {
        let told = self.shared.ask(What::Idle).await.ok()?;
        let (waiting, progress): (usize, i64) = from_value(&told).ok()?;
        Some(Idle { waiting, progress: progress.cast_unsigned() })
    }

    /// Runs what somebody has typed into a module: statements, or an expression, whose value is given as text.
    ///
    /// # Errors
    /// As [`Vm::run`].
    ///
    /// # Cancel safety
    /// As there.
    pub async fn interact(&self, module: &str, input: &str) -> Result<Option<String>, Failure> {
        let what = What::Typed { name: module.to_owned(), source: input.to_owned() };
        from_value(&self.shared.ask(what).await?).map_err(Failure::from_error)
    }

    /// Stops the code that runs now, or the next that will. No `try` of it catches that.
    pub fn interrupt(&self) {
        self.shared.interrupt.now();
    }
}

impl fmt::Debug for VmHandle {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("VmHandle").finish_non_exhaustive()
    }
}

/// What a [`Vm`] is to be like.
#[must_use = "build makes the machine"]
pub struct VmBuilder {
    machine: wren::VmBuilder,
    has_system: bool,
    pool: Option<Pool>,
    report: Report,
    time: Option<Duration>,
    stretch: Option<Duration>,
    settings: Settings,
}

impl Default for VmBuilder {
    fn default() -> Self {
        Self {
            machine: wren::Vm::builder().clock({
                let start = Instant::now();
                move || start.elapsed().as_secs_f64()
            }),
            has_system: false,
            pool: None,
            report: Box::new(|name, failure| {
                eprintln!("An error in {name} that nobody looked at: {failure}")
            }),
            time: None,
            stretch: None,
            settings: Settings { max_tasks: 100_000, values: ValueLimits::default(), arguments: Vec::new() },
        }
    }
}

macro_rules! machine {
    ($($(#[$doc:meta])* $name:ident($($argument:ident: $type:ty),*);)*) => {$(
        $(#[$doc])*
        pub fn $name(mut self, $($argument: $type),*) -> Self {
            self.machine = self.machine.$name($($argument),*);
            self
        }
    )*};
}

impl VmBuilder {
    machine! {
        /// Most bytes that its objects may take: see [`wren::VmBuilder::memory`].
        memory(bytes: usize);
        /// Most calls that may be under way in a fiber: see [`wren::VmBuilder::depth`].
        depth(calls: usize);
        /// Most fibers that there may be: see [`wren::VmBuilder::fibers`].
        fibers(fibers: usize);
        /// Most steps that it may take: see [`wren::VmBuilder::steps`].
        steps(steps: u64);
        /// The seed of its random numbers: see [`wren::VmBuilder::seed`].
        seed(seed: u64);
        /// Gets what scripts print: see [`wren::VmBuilder::write`].
        write(write: impl FnMut(&str) + Send + 'static);
        /// Is told of errors in modules that are imported: see [`wren::VmBuilder::report`].
        report(report: impl FnMut(&CompileError) + Send + 'static);
        /// Where imported modules come from: see [`wren::VmBuilder::loader`].
        loader(loader: impl Loader + 'static);
    }

    /// Says more of the machine itself: foreign classes and methods, modules, a garbage collector that is always on.
    pub fn machine(mut self, more: impl FnOnce(wren::VmBuilder) -> wren::VmBuilder) -> Self {
        self.machine = more(self.machine);
        self
    }

    /// What a class's method does that is declared as `foreign`, as an async function: whoever calls it waits for what it gives, and is
    /// parked if that's not there at once. It runs on the loop of the script. The signature is as in error messages, with `static ` in
    /// front if it's the class's own; the arguments are a tuple. See [`wren::VmBuilder::method`].
    ///
    /// # Panics
    /// If the signature has another number of arguments than the tuple.
    ///
    /// ```
    /// use asyncferry::{AsyncRuntime, Order, sleep};
    /// use asyncferry_wren::Vm;
    /// use std::{io, time::Duration};
    ///
    /// AsyncRuntime::block_on_virtual(Order::Fifo, async {
    ///     let compute = |(input,): (f64,)| async move {
    ///         sleep(Duration::from_secs(1)).await;
    ///         Ok::<_, io::Error>(input * 2.0)
    ///     };
    ///     let vm = Vm::builder().method_async("main", "Host", "static compute(_)", compute).build();
    ///     vm.run("main", "
    ///         class Host {
    ///           foreign static compute(input)
    ///         }
    ///         var result = Host.compute(21)
    ///     ").await.unwrap();
    ///     assert_eq!(vm.with_context(|cx| cx.variable("main", "result")), Some(42.0.into()));
    /// });
    /// ```
    pub fn method_async<A, F, R, E>(
        mut self,
        module: &str,
        class: &str,
        signature: &str,
        method: impl Fn(A) -> F + Send + Sync + 'static,
    ) -> Self
    where
        A: FromArgs,
        F: Future<Output = Result<R, E>> + 'static,
        R: Into<wren::Value>,
        E: Into<Box<dyn StdError + Send + Sync>>,
    {
        self.machine =
            self.machine.method(module, class, signature, move |cx: &mut Context<'_>, arguments: A| {
                let called = method(arguments);
                let waiting = async move {
                    called.await.map(|value| Item::Own(value.into())).map_err(Failure::from_error)
                };
                wait(&current(), cx, Park::new(By::Itself, waiting))
            });
        self
    }

    /// Most time that the code may take in all, what it waits for not counted; any, unless it's set. Then it stops, and no `try` of it
    /// catches that.
    pub fn time(mut self, time: Duration) -> Self {
        self.time = Some(time);
        self
    }

    /// Most time that the code may take at a stretch, without waiting for anything; any, unless it's set. Others of its loop wait
    /// meanwhile.
    ///
    /// ```
    /// use asyncferry::{AsyncRuntime, Order};
    /// use asyncferry_wren::{ScriptError, Vm};
    /// use std::time::Duration;
    ///
    /// AsyncRuntime::block_on_virtual(Order::Fifo, async {
    ///     let vm = Vm::builder().stretch(Duration::from_millis(5)).build();
    ///     let failure = vm.run("main", "while (true) {}").await.unwrap_err();
    ///     let message = ScriptError::of(&failure).unwrap().message();
    ///     assert_eq!(message, "The script ran for more than 5ms without waiting for anything.");
    /// });
    /// ```
    pub fn stretch(mut self, stretch: Duration) -> Self {
        self.stretch = Some(stretch);
        self
    }

    /// Most tasks that may be under way; 100,000 unless it's set.
    pub fn tasks(mut self, tasks: usize) -> Self {
        self.settings.max_tasks = tasks;
        self
    }

    /// How deep and how large values may be that cross.
    pub fn values(mut self, limits: ValueLimits) -> Self {
        self.settings.values = limits;
        self
    }

    /// The pool whose jobs scripts call by name; one of its own unless it's set.
    pub fn pool(mut self, pool: Pool) -> Self {
        self.pool = Some(pool);
        self
    }

    /// Lets scripts do what the process may: the modules `io` (files, standard input) and `os` (processes), which are not there
    /// unless this is set. The arguments are `Process.allArguments`: the program, the script, and its own.
    pub fn system<A: Into<String>>(mut self, arguments: impl IntoIterator<Item = A>) -> Self {
        self.has_system = true;
        self.settings.arguments = arguments.into_iter().map(Into::into).collect();
        self
    }

    /// Is told of errors in tasks that nobody looked at, with the task's name; they are written to stderr unless it's set.
    pub fn on_unseen(mut self, report: impl FnMut(&str, &Failure) + 'static) -> Self {
        self.report = Box::new(report);
        self
    }

    /// Makes the machine, on the loop of this thread.
    ///
    /// # Panics
    /// Outside of a loop.
    pub fn build(self) -> Vm {
        let stopwatch = Stopwatch::new(self.time, self.stretch);
        let mut machine = modules::register(self.machine);
        if self.has_system {
            machine = modules::register_system(machine);
        }
        if stopwatch.is_needed() {
            let stopwatch = stopwatch.clone();
            machine = machine.guard(move || stopwatch.verdict());
        }
        let machine = machine.build();
        let shared = Shared::new(machine.interrupt());
        let parts = Parts {
            machine,
            pool: self.pool.unwrap_or_default(),
            shared: shared.clone(),
            report: self.report,
            stopwatch,
            settings: self.settings,
        };
        let home = Home::new(parts);
        let reader = spawn_local(read(Rc::downgrade(&home), shared));
        Vm { home, reader }
    }
}

impl fmt::Debug for VmBuilder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("VmBuilder").field("tasks", &self.settings.max_tasks).finish_non_exhaustive()
    }
}
