//! Calls of async functions from scripts, and fibers that sleep: Ferry's Wren beside mlua's async functions in Lua 5.4, on tokio's
//! current-thread runtime.
//!
//! - `method`: an async method of the host's that is ready at once, as mlua's functions are called.
//! - `ready`: such a function by its name: call, await and cleanup, with a task as an object, of which mlua has none.
//! - `serial`: a job on another of two threads, one after another; `fibers`: the same in 1000 fibers at once. mlua's function hands the
//!   work to two threads by a channel of crossbeam's, and awaits a `oneshot`; `mlua_spawn_blocking` gives it to tokio.
//! - `sleepers`: 10,000 fibers that sleep at once, from the first to the last.
//!
//! `cargo xtask bench wren-async [--rounds N] [--ours] [NAME…]`, where `--ours` leaves the peers out, for profilers

use asyncferry::{AsyncRuntime, jobs::Pool};
use asyncferry_wren::Vm;
use ferry_benches::{Clock, alternate, print_line};
use mlua::{Function, Lua};
use std::{
    alloc::{GlobalAlloc, Layout, System},
    collections::BTreeMap,
    io,
    sync::atomic::{AtomicBool, AtomicUsize, Ordering},
    time::Duration,
};

const READY: usize = 50_000;
const SERIAL: usize = 10_000;
const FIBERS: usize = 1_000;
const EACH: usize = 20;
const SLEEPERS: usize = 10_000;
const SLEEP: u64 = 50;
const WORKERS: usize = 2;

/// Counts what is allocated, while that is asked for.
struct Counting;

static COUNTS: AtomicBool = AtomicBool::new(false);

static NOW: AtomicUsize = AtomicUsize::new(0);
static MOST: AtomicUsize = AtomicUsize::new(0);

// SAFETY: it's the system's allocator, which counts beside.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        if COUNTS.load(Ordering::Relaxed) {
            let now = NOW.fetch_add(layout.size(), Ordering::Relaxed).wrapping_add(layout.size());
            MOST.fetch_max(now, Ordering::Relaxed);
        }
        // SAFETY: the caller's contract.
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, ptr: *mut u8, layout: Layout) {
        if COUNTS.load(Ordering::Relaxed) {
            NOW.fetch_sub(layout.size(), Ordering::Relaxed);
        }
        // SAFETY: the caller's contract.
        unsafe { System.dealloc(ptr, layout) }
    }
}

#[global_allocator]
static ALLOCATOR: Counting = Counting;

/// What one run of something takes.
#[derive(Clone, Copy)]
enum Figure {
    /// Microseconds of CPU an operation.
    Cpu(usize),
    /// Milliseconds of CPU.
    CpuInAll,
    /// Milliseconds.
    Wall,
    /// Bytes a fiber, at the most.
    Bytes(usize),
}

#[derive(Clone, Copy)]
enum Work {
    Method,
    Ready,
    Serial,
    Fibers,
    Sleepers,
}

fn main() -> Result<(), String> {
    let (mut rounds, mut names, mut has_peers) = (7, Vec::new(), true);
    let mut arguments = std::env::args().skip(1);
    while let Some(argument) = arguments.next() {
        match &*argument {
            "--rounds" => {
                let given = arguments.next().unwrap_or_default();
                let number = given.parse();
                rounds = number.map_err(|_| format!("--rounds wants a number, and was given `{given}`."))?;
            }
            "--ours" => has_peers = false,
            name => names.push(format!("wren_async_{name}")),
        }
    }
    let threaded = ["mlua", "mlua_spawn_blocking"].as_slice();
    let lines: [(&str, &str, Work, Figure, &[&str], Option<f64>); 8] = [
        ("wren_async_method", "cpu us/call", Work::Method, Figure::Cpu(READY), &["mlua"], Some(1.0)),
        ("wren_async_ready", "cpu us/call", Work::Ready, Figure::Cpu(READY), &["mlua"], Some(1.0)),
        ("wren_async_serial", "cpu us/call", Work::Serial, Figure::Cpu(SERIAL), threaded, Some(0.8)),
        ("wren_async_fibers", "cpu us/call", Work::Fibers, Figure::Cpu(FIBERS * EACH), threaded, Some(0.8)),
        ("wren_async_fibers_wall", "wall ms", Work::Fibers, Figure::Wall, threaded, None),
        ("wren_async_sleepers", "cpu ms", Work::Sleepers, Figure::CpuInAll, &["mlua"], None),
        ("wren_async_sleepers_wall", "wall ms", Work::Sleepers, Figure::Wall, &["mlua"], None),
        (
            "wren_async_sleepers_memory",
            "bytes/fiber",
            Work::Sleepers,
            Figure::Bytes(SLEEPERS),
            &["mlua"],
            None,
        ),
    ];
    if let Some(unknown) = names.iter().find(|name| !lines.iter().any(|(bench, ..)| bench == name)) {
        return Err(format!("there is no measurement `{unknown}`."));
    }
    for (bench, unit, work, figure, peers, goal) in lines {
        if !names.is_empty() && !names.iter().any(|name| name == bench) {
            continue;
        }
        let mut contenders: Vec<(&str, Box<dyn FnMut() -> f64>)> =
            vec![("ferry", Box::new(move || in_wren(work, figure)))];
        for peer in peers.iter().filter(|_| has_peers) {
            let offload = if *peer == "mlua" { Offload::Channel } else { Offload::SpawnBlocking };
            contenders.push((peer, Box::new(move || in_lua(work, figure, offload))));
        }
        let figures: BTreeMap<String, f64> = alternate(rounds, contenders);
        print_line(bench, unit, &figures, "mlua", goal);
    }
    Ok(())
}

fn in_wren(work: Work, figure: Figure) -> f64 {
    AsyncRuntime::block_on(async {
        let pool = Pool::builder().workers(WORKERS).max_queued(FIBERS * 2).build();
        pool.register_blocking("job", |_, (a, b): (i64, i64)| Ok::<_, io::Error>(a + b))
            .expect("the name is free");
        let add = |(a, b): (f64, f64)| async move { Ok::<_, io::Error>(a + b) };
        let vm = Vm::builder().pool(pool).method_async("bench", "Host", "static add(_,_)", add).build();
        vm.register_async("ready", |(a, b): (i64, i64)| async move { Ok::<_, io::Error>(a + b) })
            .expect("the name is free");
        vm.run("bench", include_str!("../../programs/async.wren")).await.expect("it compiles");
        let call = async |method: &str, arguments: asyncferry::Value| {
            vm.call_async::<()>("bench", method, arguments).await.expect("the scripts work");
        };
        let number = |number: usize| asyncferry::Value::from(number as i64);
        let (method, arguments) = match work {
            Work::Method => ("Bench.method(_)", vec![number(READY)]),
            Work::Ready => ("Bench.serial(_,_)", vec!["ready".into(), number(READY)]),
            Work::Serial => ("Bench.serial(_,_)", vec!["job".into(), number(SERIAL)]),
            Work::Fibers => ("Bench.fibers(_,_,_)", vec!["job".into(), number(FIBERS), number(EACH)]),
            Work::Sleepers => ("Bench.sleepers(_,_)", vec![number(SLEEPERS), number(SLEEP as usize)]),
        };
        measured(figure, call(method, arguments.into())).await
    })
}

/// The figure of a run.
async fn measured(figure: Figure, run: impl Future<Output = ()>) -> f64 {
    let clock = if matches!(figure, Figure::Wall) { Clock::Wall } else { Clock::Cpu };
    // What was there before, and is freed meanwhile, is not seen: so much is added that the count stays above zero.
    const BEFORE: usize = 1 << 40;
    NOW.store(BEFORE, Ordering::Relaxed);
    MOST.store(BEFORE, Ordering::Relaxed);
    COUNTS.store(matches!(figure, Figure::Bytes(_)), Ordering::Relaxed);
    let start = clock.now();
    run.await;
    let taken = clock.now() - start;
    COUNTS.store(false, Ordering::Relaxed);
    let most = MOST.load(Ordering::Relaxed) - BEFORE;
    match figure {
        Figure::Cpu(operations) => taken / 1e3 / operations as f64,
        Figure::CpuInAll | Figure::Wall => taken / 1e6,
        Figure::Bytes(fibers) => most as f64 / fibers as f64,
    }
}

#[derive(Clone, Copy)]
enum Offload {
    Channel,
    SpawnBlocking,
}

type Job = Box<dyn FnOnce() + Send>;

/// Threads that do what comes by a channel.
fn workers() -> crossbeam_channel::Sender<Job> {
    let (sender, receiver) = crossbeam_channel::unbounded::<Job>();
    for _ in 0..WORKERS {
        let receiver = receiver.clone();
        std::thread::spawn(move || receiver.into_iter().for_each(|job| job()));
    }
    sender
}

fn in_lua(work: Work, figure: Figure, offload: Offload) -> f64 {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build().expect("a runtime");
    tokio::task::LocalSet::new().block_on(&runtime, async {
        let lua = Lua::new();
        let sender = workers();
        let ready = lua.create_async_function(|_, (a, b): (i64, i64)| async move { Ok(a + b) });
        let job = lua.create_async_function(move |_, (a, b): (i64, i64)| {
            let sender = sender.clone();
            async move {
                match offload {
                    Offload::Channel => {
                        let (reply, answer) = oneshot::channel();
                        sender.send(Box::new(move || _ = reply.send(a + b))).expect("there are workers");
                        answer.await.map_err(mlua::Error::external)
                    }
                    Offload::SpawnBlocking => {
                        tokio::task::spawn_blocking(move || a + b).await.map_err(mlua::Error::external)
                    }
                }
            }
        });
        let sleep = lua.create_async_function(|_, milliseconds: u64| async move {
            tokio::time::sleep(Duration::from_millis(milliseconds)).await;
            Ok(())
        });
        let (ready, job) = (ready.expect("a function"), job.expect("a function"));
        lua.globals().set("sleep", sleep.expect("a function")).expect("a global");
        lua.load(include_str!("../../programs/async.lua")).exec().expect("it compiles");
        let serial: Function = lua.globals().get("serial").expect("it's there");
        let sleeper: Function = lua.globals().get("sleeper").expect("it's there");
        match work {
            Work::Method | Work::Ready => measured(figure, done(serial.call_async((ready, READY)))).await,
            Work::Serial => measured(figure, done(serial.call_async((job, SERIAL)))).await,
            Work::Fibers => {
                let all = async { at_once(FIBERS, || serial.call_async((job.clone(), EACH))).await };
                measured(figure, all).await
            }
            Work::Sleepers => {
                measured(figure, async { at_once(SLEEPERS, || sleeper.call_async(SLEEP)).await }).await
            }
        }
    })
}

async fn done(call: impl Future<Output = mlua::Result<()>>) {
    call.await.expect("the scripts work");
}

/// Starts so many as tasks, and waits for all.
async fn at_once<F: Future<Output = mlua::Result<()>> + 'static>(count: usize, start: impl Fn() -> F) {
    let tasks: Vec<_> = (0..count).map(|_| tokio::task::spawn_local(start())).collect();
    for task in tasks {
        task.await.expect("no task panics").expect("the scripts work");
    }
}
