//! [`VmBuilder`]: what a machine is to be like.

use super::Vm;
use crate::{
    home::{Home, Parts, Report, Settings, current},
    limits::Stopwatch,
    mail::{Shared, read},
    modules,
    park::{By, Item, Park, wait},
};
use asyncferry::{Failure, Instant, ValueLimits, jobs::Pool, spawn_local};
use std::{error::Error as StdError, fmt, future::Future, rc::Rc, time::Duration};
use wren::{CompileError, Context, FromArgs, Loader};

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
