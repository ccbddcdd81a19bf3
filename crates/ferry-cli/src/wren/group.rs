//! [`Group`]: programs in Wren that run beside each other, each on a thread of its own, with jobs, queues and events in common.
//!
//! ```text
//!   started ──its own code runs up to its first wait──▶ up ──▶ its code has ended, tasks of its may go on ──▶ told to finish
//!                                                        │                                                        │
//!                                                        └ it fails, or Ctrl-C ──▶ over ◀─────────────────────────┘
//! ```
//!
//! A program lives as long as the group, as others may call what it has registered. The group is at its end when nothing in it goes on by
//! itself: each program was asked twice, none has gone on in between, and no job is left.

use std::ffi::OsString;
use std::future::pending;
use std::pin::pin;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc;
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use asyncferry::jobs::Pool;
use asyncferry::sync::Event;
use asyncferry::{AsyncRuntime, Failure, select, sleep, yield_now};
use asyncferry_wren::{Idle, Vm, VmHandle};

use super::{INTERRUPTED, RUNTIME, Source, builder, code_of, flush, lines, tell};

/// What a program's thread has of the process' first one's.
const STACK: usize = 8 << 20;

/// Programs that run.
pub(crate) struct Group {
    programs: Vec<Running>,
    pool: Pool,
}

struct Running {
    handle: VmHandle,
    thread: JoinHandle<u8>,
    ends: Arc<Ends>,
}

/// How a program is told to end.
#[derive(Default)]
struct Ends {
    finish: Event,
    interrupt: Event,
}

impl Group {
    /// Starts programs. It's back when the code of each has come to its first wait, or its end.
    pub(crate) fn start(sources: Vec<Source>, pool: &Pool, args: &[OsString], stops: &Stops) -> Self {
        let start = |source| Running::start(source, pool.clone(), args.to_vec(), stops);
        let programs = sources.into_iter().map(start);
        Self { programs: programs.collect(), pool: pool.clone() }
    }

    /// Waits until nothing goes on any more, and ends the programs. Gives the first exit code that is not 0.
    pub(crate) fn finish(self) -> u8 {
        AsyncRuntime::block_on(self.idle());
        let codes = self.programs.into_iter().map(|program| {
            program.ends.finish.set();
            program.thread.join().unwrap_or(RUNTIME)
        });
        codes.fold(0, |first, code| if first == 0 { code } else { first })
    }

    async fn idle(&self) {
        let mut before: Option<Vec<Option<Idle>>> = None;
        loop {
            let mut now = Vec::new();
            for program in &self.programs {
                now.push(program.handle.run_until_idle().await);
            }
            if before.as_ref() != Some(&now) {
                before = Some(now);
            } else if self.has_jobs() {
                // One that nobody waits for may still do what somebody waits for.
                sleep(Duration::from_millis(5)).await;
            } else {
                return;
            }
        }
    }

    fn has_jobs(&self) -> bool {
        self.pool.metrics().iter().any(|kind| kind.queued + kind.running + kind.waiting > 0)
    }

    /// Stops the programs, wherever they are.
    pub(crate) fn interrupt(&self) {
        self.programs.iter().for_each(Running::interrupt);
    }
}

/// What Ctrl-C stops.
#[derive(Clone, Default)]
pub(crate) struct Stops(Arc<Mutex<Vec<Stop>>>);

type Stop = (VmHandle, Arc<Ends>);

impl Stops {
    fn lock(&self) -> MutexGuard<'_, Vec<Stop>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Ctrl-C stops the programs, which say where they were; twice, it ends all at once.
    pub(crate) fn by_ctrl_c(&self) {
        static WAS_HERE: AtomicBool = AtomicBool::new(false);
        let stops = self.clone();
        let set = ctrlc::set_handler(move || {
            if WAS_HERE.swap(true, Ordering::Relaxed) {
                std::process::exit(i32::from(INTERRUPTED));
            }
            stops.lock().iter().for_each(|(handle, ends)| interrupt(handle, ends));
        });
        if let Err(error) = set {
            tell(&format!("ferry: Ctrl-C will end the program at once: {error}"));
        }
    }
}

fn interrupt(handle: &VmHandle, ends: &Ends) {
    handle.interrupt();
    ends.interrupt.set();
}

impl Running {
    fn start(source: Source, pool: Pool, args: Vec<OsString>, stops: &Stops) -> Self {
        let (up, is_up) = mpsc::channel();
        let ends = Arc::new(Ends::default());
        let told = ends.clone();
        let name = source.shown.clone();
        let live = move || AsyncRuntime::block_on(live(source, pool, args, &told, up));
        let thread = match thread::Builder::new().name(name.clone()).stack_size(STACK).spawn(live) {
            Ok(thread) => thread,
            Err(error) => {
                tell(&format!("ferry: there is no thread for {name}: {error}"));
                std::process::exit(i32::from(RUNTIME))
            }
        };
        let Ok(handle) = is_up.recv() else { unreachable!("it says so before anything can fail") };
        stops.lock().push((handle.clone(), ends.clone()));
        // It comes once more; or not, when the program has failed before.
        let _ = is_up.recv();
        Self { handle, thread, ends }
    }

    fn interrupt(&self) {
        interrupt(&self.handle, &self.ends);
    }
}

/// The life of a program on its thread.
async fn live(
    source: Source,
    pool: Pool,
    args: Vec<OsString>,
    ends: &Ends,
    up: mpsc::Sender<VmHandle>,
) -> u8 {
    let has_failed = Arc::new(OnceLock::new());
    let failed = has_failed.clone();
    let vm = builder(&source.shown, &args)
        .pool(pool)
        .on_unseen(move |name, failure| {
            flush();
            tell(&format!("An error in {name} that nobody looked at:\n{failure}"));
            let _ = failed.set(());
        })
        .build();
    if let Err(error) = lines::register(&vm) {
        unreachable!("nothing else is registered: {error}")
    }
    // Whoever waits for it is there.
    let _ = up.send(vm.handle());
    let code = work(&vm, &source, ends, up).await;
    drop(vm);
    match (code, has_failed.get()) {
        (0, Some(())) => RUNTIME,
        _ => code,
    }
}

async fn work(vm: &Vm, source: &Source, ends: &Ends, up: mpsc::Sender<VmHandle>) -> u8 {
    let mut code = pin!(vm.run(&source.module, &source.text));
    let mut started = pin!(async {
        // The letter is opened, the task begun, and its code run up to its first wait.
        for _ in 0..4 {
            yield_now().await;
        }
        let _ = up.send(vm.handle());
        pending::<()>().await
    });
    let ended = select! {
        ended = &mut code => ended,
        () = &mut started => unreachable!("it waits for ever"),
        () = ends.finish.wait() => return stuck(vm, source),
        () = ends.interrupt.wait() => return interrupted(),
    };
    if let Err(failure) = ended {
        return fail(&failure);
    }
    // It may have come to its end before that.
    let _ = up.send(vm.handle());
    select! {
        () = ends.finish.wait() => 0,
        () = ends.interrupt.wait() => interrupted(),
    }
}

/// What was printed comes before what went wrong.
fn fail(failure: &Failure) -> u8 {
    flush();
    tell(&failure.to_string());
    code_of(failure)
}

fn interrupted() -> u8 {
    flush();
    tell("The program was interrupted.");
    INTERRUPTED
}

/// Its own code waits for what nobody will do.
fn stuck(vm: &Vm, source: &Source) -> u8 {
    flush();
    tell(&format!("{} waits for what nobody will do:", source.shown));
    let main = vm.parked().into_iter().find(|trace| trace.iter().any(|frame| frame.function == "(script)"));
    main.unwrap_or_default().iter().for_each(|frame| tell(&frame.to_string()));
    RUNTIME
}
