//! The Python bridge beside pyo3-async-runtimes, plain asyncio and a plain thread hop, on asyncio's own loop.
//!
//! `bridge [NAME…]` runs the named measurements, or all. Figures are CPU time of the process an operation.
//! `--gather-cost CONTENDER` is how it calls itself for what a gather of 10,000 leaves in a fresh process.

use asyncferry_python::{
    Job, append_to_inittab, awaitable_to_future, future_to_awaitable, interpreter,
};
use ferry_benches::{Clock, alternate, print_line};
use pyo3::{ffi::c_str, prelude::*, types::PyDict};
use std::{
    collections::BTreeMap,
    convert::Infallible,
    process::Command,
    sync::{Mutex, OnceLock, mpsc},
};
use tokio::sync::oneshot;

/// One measurement: its name, the goal against pyo3-async-runtimes, operations a round, and the Python
/// function that runs a round for each contender.
struct Bench {
    name: &'static str,
    goal: f64,
    operations: usize,
    contenders: &'static [(&'static str, &'static str)],
}

const BENCHES: &[Bench] = &[
    Bench {
        name: "await_ready",
        goal: 0.02,
        operations: 20_000,
        contenders: &[
            ("ferry", "one_by_one(ferry_ready, N)"),
            ("pyo3-async-runtimes", "one_by_one(peer_ready, N // 20)"),
            ("asyncio", "one_by_one(coroutine_ready, N)"),
        ],
    },
    Bench {
        name: "await_cross_thread",
        goal: 0.35,
        operations: 4_000,
        contenders: &[
            ("ferry", "one_by_one(ferry_thread, N)"),
            ("pyo3-async-runtimes", "one_by_one(peer_thread, N)"),
            ("thread hop", "hops(N)"),
        ],
    },
    Bench {
        name: "gather_10k",
        goal: 0.08,
        operations: 10_000,
        contenders: &[
            ("ferry", "ferry_gather(ferry_thread, N)"),
            ("pyo3-async-runtimes", "asyncio_gather(peer_thread, N)"),
            ("asyncio", "asyncio_gather(coroutine_ready, N)"),
        ],
    },
    Bench {
        name: "gather_10k_asyncio",
        goal: 0.08,
        operations: 10_000,
        contenders: &[
            ("ferry", "asyncio_gather(ferry_thread, N)"),
            ("pyo3-async-runtimes", "asyncio_gather(peer_thread, N)"),
            ("asyncio", "asyncio_gather(coroutine_ready, N)"),
        ],
    },
    Bench {
        name: "rust_awaits_4000",
        goal: 0.5,
        operations: 4_000,
        contenders: &[
            ("ferry", "rust_awaits(ferry_awaits, N)"),
            ("pyo3-async-runtimes", "rust_awaits(peer_awaits, N)"),
            ("asyncio", "tasks(N)"),
        ],
    },
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
    for bench in
        BENCHES.iter().filter(|bench| wanted.is_empty() || wanted.iter().any(|name| name == bench.name))
    {
        let figures = run(&program, bench);
        let name = format!("bridge/{}", bench.name);
        print_line(&name, "ns", &figures, "pyo3-async-runtimes", Some(bench.goal));
        if bench.name == "gather_10k" {
            print_costs(bench)?;
        }
    }
    Ok(())
}

/// CPU time an operation for each contender. A round of `N // 20` operations counts as so many.
fn run(program: &Py<PyDict>, bench: &Bench) -> BTreeMap<String, f64> {
    let contenders = bench.contenders.iter().map(|(name, call)| {
        let fewer = if call.contains("N // 20") { 20 } else { 1 };
        let call = call.replace("N // 20", "N").replace('N', &(bench.operations / fewer).to_string());
        let round = move || {
            let start = Clock::Cpu.now();
            round(program, &call);
            (Clock::Cpu.now() - start) / (bench.operations / fewer) as f64
        };
        (*name, Box::new(round) as Box<dyn FnMut() -> f64>)
    });
    alternate(9, contenders.collect())
}

fn round(program: &Py<PyDict>, call: &str) {
    let call = std::ffi::CString::new(format!("asyncio.run({call})")).unwrap();
    Python::attach(|py| py.run(&call, Some(program.bind(py)), None).unwrap());
}

/// What each contender's gather of 10,000 leaves behind: threads, and growth of the resident memory.
fn print_costs(bench: &Bench) -> anyhow::Result<()> {
    let (mut threads, mut memory) = (BTreeMap::new(), BTreeMap::new());
    for (name, call) in bench.contenders {
        let call = call.replace('N', &bench.operations.to_string());
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
    print_line("bridge/gather_10k_threads", "threads", &threads, "pyo3-async-runtimes", None);
    print_line("bridge/gather_10k_rss", "KiB", &memory, "pyo3-async-runtimes", None);
    Ok(())
}

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
