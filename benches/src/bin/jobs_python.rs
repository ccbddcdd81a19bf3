//! Ferry's `Pool` beside Python's `ThreadPoolExecutor`, alone and by `loop.run_in_executor`.
//!
//! `jobs_python [NAME…]` runs the named measurements, or all, with 1, 2 and 4 workers each: `tiny` functions, of which 1,000 are in flight
//! at once; functions of `one_ms`, which sleep; and `round_trip`, one after another, with its median and its 99th percentile;
//! each from a thread, and awaited on asyncio's event loop. Figures are of the clock on the wall, a job. Ours has its
//! priorities, its metrics and its cancelling switched on, as it always has.

use asyncferry_python::{append_to_inittab, interpreter};
use ferry_benches::{alternate, print_line};
use pyo3::{prelude::*, types::PyDict};

/// A measurement's name, and how many rounds it has.
const BENCHES: &[(&str, usize)] = &[("tiny", 7), ("one_ms", 3), ("round_trip_p50", 7), ("round_trip_p99", 7)];

/// From where jobs are submitted, and what the peer is called there.
const WAYS: &[(&str, &str)] = &[("thread", "ThreadPoolExecutor"), ("asyncio_", "run_in_executor")];

fn main() -> anyhow::Result<()> {
    let wanted: Vec<String> = std::env::args().skip(1).collect();
    let known: Vec<_> = BENCHES.iter().map(|(name, ..)| *name).collect();
    if let Some(unknown) = wanted.iter().find(|name| !known.contains(&name.as_str())) {
        anyhow::bail!("there is no measurement '{unknown}'; there are: {}", known.join(", "));
    }
    append_to_inittab();
    interpreter::ensure_started().map_err(|error| anyhow::anyhow!("{error}"))?;
    let program = Python::attach(load)?;
    let version = interpreter::linked_version();
    let version = version.rsplit_once('.').map_or(version, |(short, _)| short);
    let is_wanted = |name: &str| wanted.is_empty() || wanted.iter().any(|wanted| wanted == name);
    for workers in [1, 2, 4] {
        for &(name, rounds) in BENCHES.iter().filter(|(name, ..)| is_wanted(name)) {
            for &(way, peer) in WAYS {
                let contenders = [("ferry", "Ferry"), (peer, "Executor")].map(|(shown, class)| {
                    let call = format!("{way}({class}, {workers}, {name})");
                    let program = &program;
                    let round = move || measure(program, &call);
                    (shown, Box::new(round) as Box<dyn FnMut() -> f64>)
                });
                let way = way.trim_end_matches('_');
                let line = format!("jobs/py{version}/{name}/{way}/{workers}_workers");
                print_line(&line, "ns", &alternate(rounds, contenders.into()), peer, None);
            }
        }
    }
    Ok(())
}

fn measure(program: &Py<PyDict>, call: &str) -> f64 {
    let call = std::ffi::CString::new(call).unwrap();
    Python::attach(|py| py.eval(&call, Some(program.bind(py)), None).unwrap().extract().unwrap())
}

fn load(py: Python<'_>) -> PyResult<Py<PyDict>> {
    let globals = PyDict::new(py);
    globals.set_item("ferry", py.import("asyncferry")?)?;
    py.run(pyo3::ffi::c_str!(include_str!("../jobs_contenders.py")), Some(&globals), None)?;
    Ok(globals.unbind())
}
