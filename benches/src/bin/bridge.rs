//! The Python bridge beside pyo3-async-runtimes, plain asyncio and a thread pool of Python.
//!
//! `bridge [NAME…]` runs the named measurements, or all, on each event loop that is installed: asyncio's own, uvloop
//! and rloop. Figures are CPU time of the process an operation; `cancel` is time on the wall, from a task's cancel
//! until Rust's future is dropped.
//! `--gather-cost CONTENDER` is how it calls itself for what a gather of 10,000 leaves in a fresh process.

use asyncferry_python::{
    Job, append_to_inittab, awaitable_to_future, future_to_awaitable, interpreter, register,
};
use ferry_benches::{Clock, alternate, print_line};
use pyo3::{ffi::c_str, prelude::*, types::PyDict};
use std::{
    collections::BTreeMap,
    convert::Infallible,
    process::Command,
    sync::{
        Mutex, OnceLock,
        atomic::{AtomicUsize, Ordering},
        mpsc,
    },
};
use tokio::sync::oneshot;

/// One measurement: its name, the goal against the peer that it names, operations a round, and the Python
/// coroutine that runs a round for each contender.
struct Bench {
    name: &'static str,
    goal: Option<f64>,
    against: &'static str,
    clock: Clock,
    operations: usize,
    contenders: &'static [(&'static str, &'static str)],
}

const PEER: &str = "pyo3-async-runtimes";
const POOL: &str = "run_in_executor";

const BENCHES: &[Bench] = &[
    Bench {
        name: "await_ready",
        goal: Some(0.02),
        against: PEER,
        clock: Clock::Cpu,
        operations: 20_000,
        contenders: &[
            ("ferry", "one_by_one(ferry_ready, N)"),
            (PEER, "one_by_one(peer_ready, N // 20)"),
            ("asyncio", "one_by_one(coroutine_ready, N)"),
        ],
    },
    Bench {
        name: "await_cross_thread",
        goal: Some(0.35),
        against: PEER,
        clock: Clock::Cpu,
        operations: 4_000,
        contenders: &[
            ("ferry", "one_by_one(ferry_thread, N)"),
            (PEER, "one_by_one(peer_thread, N)"),
            ("thread hop", "hops(N)"),
        ],
    },
    Bench {
        name: "tasks_100x50",
        goal: Some(0.1),
        against: PEER,
        clock: Clock::Cpu,
        operations: 5_000,
        contenders: &[
            ("ferry", "tasks_of(ferry_thread, 100, N // 100)"),
            (PEER, "tasks_of(peer_thread, 100, N // 100)"),
            (POOL, "tasks_of(hop, 100, N // 100)"),
        ],
    },
    Bench {
        name: "gather_10k",
        goal: Some(0.02),
        against: PEER,
        clock: Clock::Cpu,
        operations: 10_000,
        contenders: &[
            ("ferry", "ferry_gather(ferry_thread, N)"),
            (PEER, "asyncio_gather(peer_thread, N)"),
            ("asyncio", "asyncio_gather(coroutine_ready, N)"),
        ],
    },
    Bench {
        name: "gather_10k_asyncio",
        goal: Some(0.08),
        against: PEER,
        clock: Clock::Cpu,
        operations: 10_000,
        contenders: &[
            ("ferry", "asyncio_gather(ferry_thread, N)"),
            (PEER, "asyncio_gather(peer_thread, N)"),
            ("asyncio", "asyncio_gather(coroutine_ready, N)"),
        ],
    },
    Bench {
        name: "rust_awaits_4000",
        goal: Some(0.5),
        against: PEER,
        clock: Clock::Cpu,
        operations: 4_000,
        contenders: &[
            ("ferry", "rust_awaits(ferry_awaits, N)"),
            (PEER, "rust_awaits(peer_awaits, N)"),
            ("asyncio", "tasks(N)"),
        ],
    },
    Bench {
        name: "cancel",
        goal: None,
        against: PEER,
        clock: Clock::Wall,
        operations: 1_000,
        contenders: &[("ferry", "cancels(ferry_pending, N)"), (PEER, "cancels(peer_pending, N)")],
    },
    Bench {
        name: "submit_rust",
        goal: Some(0.2),
        against: POOL,
        clock: Clock::Cpu,
        operations: 4_000,
        contenders: &[("ferry", "submits('ready', N)"), (POOL, "hops(N)")],
    },
    Bench {
        name: "submit_python",
        goal: Some(0.2),
        against: POOL,
        clock: Clock::Cpu,
        operations: 4_000,
        contenders: &[("ferry", "submits(nothing, N)"), (POOL, "hops(N)")],
    },
    Bench {
        name: "submit_python_10k",
        goal: Some(0.2),
        against: POOL,
        clock: Clock::Cpu,
        operations: 10_000,
        contenders: &[
            ("ferry", "ferry_gather(submit_nothing, N)"),
            (POOL, "asyncio_gather(hop, N)"),
            ("asyncio.to_thread", "asyncio_gather(to_thread, N)"),
        ],
    },
    Bench {
        name: "submit_coroutine",
        goal: None,
        against: "asyncio.create_task",
        clock: Clock::Cpu,
        operations: 4_000,
        contenders: &[
            ("ferry", "submits(coroutine_ready, N)"),
            ("asyncio.create_task", "one_by_one(task, N)"),
        ],
    },
];

/// Event loops, by the name of their module, and how a round is run on each.
const LOOPS: &[(&str, &str)] = &[
    ("asyncio", "asyncio.run(CALL)"),
    ("uvloop", "run_on(uvloop.new_event_loop, CALL)"),
    ("rloop", "run_on(rloop.new_event_loop, CALL)"),
];

fn main() -> anyhow::Result<()> {
    let wanted: Vec<String> = std::env::args().skip(1).collect();
    append_to_inittab();
    interpreter::ensure_started().map_err(|error| anyhow::anyhow!("{error}"))?;
    let program = Python::attach(load)?;
    if let [flag, call] = wanted.as_slice()
        && flag == "--gather-cost"
    {
        return gather_cost(&program, call);
    }
    let known: Vec<_> = BENCHES.iter().map(|bench| bench.name).collect();
    if let Some(unknown) = wanted.iter().find(|name| !known.contains(&name.as_str())) {
        anyhow::bail!("there is no measurement '{unknown}'; there are: {}", known.join(", "));
    }
    let is_wanted = |bench: &&Bench| wanted.is_empty() || wanted.iter().any(|name| name == bench.name);
    let python = format!("py{}", short_version());
    for (event_loop, run) in LOOPS.iter().filter(|(name, _)| has_module(name)) {
        for bench in BENCHES.iter().filter(is_wanted) {
            let name = format!("bridge/{python}/{event_loop}/{}", bench.name);
            print_line(&name, "ns", &measure(&program, bench, run), bench.against, bench.goal);
            if bench.name == "gather_10k" && *event_loop == "asyncio" {
                print_costs(&format!("bridge/{python}/{event_loop}"), bench)?;
            }
        }
    }
    Ok(())
}

/// "3.11"
fn short_version() -> String {
    let version = interpreter::linked_version();
    version.rsplit_once('.').map_or(version, |(short, _)| short).to_owned()
}

/// Whether the loop is installed; it says so where it isn't.
fn has_module(name: &str) -> bool {
    let found = Python::attach(|py| py.import(name).map(drop).map_err(|error| error.to_string()));
    if let Err(error) = &found {
        eprintln!("bridge: {name} is left out: {error}");
    }
    found.is_ok()
}

/// Time an operation for each contender. A round of `N // 20` operations counts as so many.
fn measure(program: &Py<PyDict>, bench: &Bench, run: &str) -> BTreeMap<String, f64> {
    let contenders = bench.contenders.iter().map(|(name, call)| {
        let fewer = if call.contains("N // 20") { 20 } else { 1 };
        let call = run.replace("CALL", call).replace("N // 20", "N");
        let call = call.replace('N', &(bench.operations / fewer).to_string());
        let round = move || {
            let start = bench.clock.now();
            round(program, &call);
            (bench.clock.now() - start) / (bench.operations / fewer) as f64
        };
        (*name, Box::new(round) as Box<dyn FnMut() -> f64>)
    });
    alternate(9, contenders.collect())
}

fn round(program: &Py<PyDict>, call: &str) {
    let call = std::ffi::CString::new(call).unwrap();
    Python::attach(|py| py.run(&call, Some(program.bind(py)), None).unwrap());
}

/// What each contender's gather of 10,000 leaves behind: threads, and growth of the resident memory.
fn print_costs(prefix: &str, bench: &Bench) -> anyhow::Result<()> {
    let (mut threads, mut memory) = (BTreeMap::new(), BTreeMap::new());
    for (name, call) in bench.contenders {
        let call = format!("asyncio.run({call})").replace('N', &bench.operations.to_string());
        let output = Command::new(std::env::current_exe()?).args(["--gather-cost", &call]).output()?;
        anyhow::ensure!(
            output.status.success(),
            "{name} failed: {}",
            String::from_utf8_lossy(&output.stderr)
        );
        let text = String::from_utf8(output.stdout)?;
        let (count, bytes) =
            text.trim().split_once(' ').ok_or_else(|| anyhow::anyhow!("no figures: {text}"))?;
        threads.insert((*name).to_owned(), count.parse()?);
        memory.insert((*name).to_owned(), bytes.parse()?);
    }
    threads.insert("the limit".to_owned(), THREAD_LIMIT);
    print_line(&format!("{prefix}/gather_10k_threads"), "threads", &threads, "the limit", Some(1.0));
    print_line(&format!("{prefix}/gather_10k_rss"), "KiB", &memory, PEER, None);
    Ok(())
}

/// How many threads a gather of 10,000 may need.
const THREAD_LIMIT: f64 = 4.0;

fn gather_cost(program: &Py<PyDict>, call: &str) -> anyhow::Result<()> {
    let before = status("VmRSS:");
    round(program, call);
    println!("{} {}", status("Threads:"), status("VmHWM:") - before);
    Ok(())
}

/// A number of `/proc/self/status`.
fn status(field: &str) -> f64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find(|line| line.starts_with(field)).unwrap_or_default();
    line.split_whitespace().nth(1).and_then(|number| number.parse().ok()).unwrap_or(f64::NAN)
}

/// The Python side, with the contenders' functions in its globals.
fn load(py: Python<'_>) -> PyResult<Py<PyDict>> {
    let globals = PyDict::new(py);
    globals.set_item("ferry", py.import("asyncferry")?)?;
    globals.set_item("ferry_ready", wrap_pyfunction!(ferry_ready, py)?)?;
    globals.set_item("peer_ready", wrap_pyfunction!(peer_ready, py)?)?;
    globals.set_item("ferry_thread", wrap_pyfunction!(ferry_thread, py)?)?;
    globals.set_item("peer_thread", wrap_pyfunction!(peer_thread, py)?)?;
    globals.set_item("ferry_pending", wrap_pyfunction!(ferry_pending, py)?)?;
    globals.set_item("peer_pending", wrap_pyfunction!(peer_pending, py)?)?;
    globals.set_item("dropped", wrap_pyfunction!(dropped, py)?)?;
    register(py, "ready", wrap_pyfunction!(ferry_ready, py)?)?;
    globals.set_item("ferry_awaits", wrap_pyfunction!(ferry_awaits, py)?)?;
    globals.set_item("peer_awaits", wrap_pyfunction!(peer_awaits, py)?)?;
    py.run(c_str!(include_str!("../bridge_contenders.py")), Some(&globals), None)?;
    Ok(globals.unbind())
}

#[pyfunction]
fn ferry_ready(py: Python<'_>) -> PyResult<Bound<'_, Job>> {
    future_to_awaitable(py, async { Ok::<_, Infallible>(1) })
}

#[pyfunction]
fn peer_ready(py: Python<'_>) -> PyResult<Bound<'_, PyAny>> {
    pyo3_async_runtimes::tokio::future_into_py(py, async { Ok(1) })
}

#[pyfunction]
fn ferry_thread(py: Python<'_>) -> PyResult<Bound<'_, Job>> {
    let answer = ask_thread();
    future_to_awaitable(py, async { answer.await.map_err(std::io::Error::other) })
}

#[pyfunction]
fn peer_thread(py: Python<'_>) -> PyResult<Bound<'_, PyAny>> {
    let answer = ask_thread();
    pyo3_async_runtimes::tokio::future_into_py(py, async { Ok(answer.await.unwrap()) })
}

/// Asks a thread of its own, which is neither contender's, for a number.
fn ask_thread() -> oneshot::Receiver<u32> {
    static THREAD: OnceLock<Mutex<mpsc::Sender<oneshot::Sender<u32>>>> = OnceLock::new();
    let thread = THREAD.get_or_init(|| {
        let (questions, incoming) = mpsc::channel::<oneshot::Sender<u32>>();
        std::thread::spawn(move || {
            for question in incoming {
                let _ = question.send(1);
            }
        });
        Mutex::new(questions)
    });
    let (sender, receiver) = oneshot::channel();
    thread.lock().unwrap().send(sender).unwrap();
    receiver
}

/// Counts up when a pending future is dropped.
struct Guard;

static DROPPED: AtomicUsize = AtomicUsize::new(0);

impl Drop for Guard {
    fn drop(&mut self) {
        DROPPED.fetch_add(1, Ordering::SeqCst);
    }
}

#[pyfunction]
fn ferry_pending(py: Python<'_>) -> PyResult<Bound<'_, Job>> {
    let guard = Guard;
    future_to_awaitable(py, async move {
        let _guard = guard;
        std::future::pending::<Result<(), Infallible>>().await
    })
}

#[pyfunction]
fn peer_pending(py: Python<'_>) -> PyResult<Bound<'_, PyAny>> {
    let guard = Guard;
    pyo3_async_runtimes::tokio::future_into_py(py, async move {
        let _guard = guard;
        std::future::pending::<PyResult<()>>().await
    })
}

/// Waits until `count` pending futures were dropped, on whatever thread, since the last call.
#[pyfunction]
fn dropped(py: Python<'_>, count: usize) {
    py.detach(|| {
        while DROPPED.load(Ordering::SeqCst) < count {
            std::thread::yield_now();
        }
    });
    DROPPED.fetch_sub(count, Ordering::SeqCst);
}

/// Awaits all of `coroutines` at once in Rust, and gives their sum to Python.
#[pyfunction]
fn ferry_awaits<'py>(py: Python<'py>, coroutines: Vec<Bound<'py, PyAny>>) -> PyResult<Bound<'py, Job>> {
    let futures = coroutines.iter().map(|coroutine| awaitable_to_future(py, coroutine));
    let futures = futures.collect::<PyResult<Vec<_>>>()?;
    future_to_awaitable(py, async {
        for future in futures {
            future.await?;
        }
        Ok::<_, PyErr>(())
    })
}

#[pyfunction]
fn peer_awaits<'py>(py: Python<'py>, coroutines: Vec<Bound<'py, PyAny>>) -> PyResult<Bound<'py, PyAny>> {
    let into_future = pyo3_async_runtimes::tokio::into_future;
    let futures = coroutines.into_iter().map(into_future).collect::<PyResult<Vec<_>>>()?;
    pyo3_async_runtimes::tokio::future_into_py(py, async {
        for future in futures {
            future.await?;
        }
        Ok(())
    })
}
