//! [`Vm`]: a machine on the loop of its thread.

mod builder;
mod handle;

pub use builder::VmBuilder;
pub use handle::VmHandle;

use crate::{home::Home, host::Functions, mail::What, modules};
use asyncferry::{
    Failure, TaskHandle,
    jobs::{AlreadyRegistered, Pool},
};
use futures_core::Stream;
use serde::{Serialize, de::DeserializeOwned};
use std::{cell::RefMut, error::Error as StdError, fmt, future::Future, rc::Rc};
use wren::{Context, TraceFrame};

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
