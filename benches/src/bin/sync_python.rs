//! Ferry's primitives as Python's classes beside asyncio's own, on asyncio's own event loop.
//!
//! `sync_python [NAME…]` runs the named measurements, or all. Figures are CPU time of the process an operation. To add
//! one, write its program in `sync_contenders/programs.py`, and name it in the table here. Programs that say `contended`
//! wait at each operation; those that say `held` or `by` wait among other things, so that the event loop itself is a part
//! of what's measured.

use asyncferry_python::{append_to_inittab, interpreter};
use ferry_benches::{Clock, alternate, print_line};
use pyo3::{prelude::*, types::PyDict};

/// A program's name, how many operations a round has, and the goal against asyncio.
type Bench = (&'static str, usize, Option<f64>);

const GOAL: Option<f64> = Some(0.5);

const BENCHES: &[Bench] = &[
    ("event", 50_000, GOAL),
    ("lock", 50_000, GOAL),
    ("lock_acquire", 50_000, GOAL),
    ("semaphore", 50_000, GOAL),
    ("condition", 50_000, GOAL),
    ("queue", 50_000, GOAL),
    ("queue_128", 50_000, GOAL),
    ("event_contended", 20_000, GOAL),
    ("lock_contended", 10_000, GOAL),
    ("semaphore_contended", 10_000, GOAL),
    ("condition_contended", 10_000, GOAL),
    ("queue_contended", 10_000, GOAL),
    ("queue_10_by_10", 10_000, None),
    ("lock_held_for_a_turn", 10_000, None),
    ("semaphore_held_for_a_turn", 10_000, None),
];

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
    for (name, operations, goal) in BENCHES.iter().filter(|(name, ..)| is_wanted(name)) {
        let contenders = ["ferry", "asyncio"].map(|module| {
            let call = format!("asyncio.run({name}({module}, {operations}))");
            let (program, operations) = (&program, *operations);
            let round = move || round(program, call.clone()) / operations as f64;
            (module, Box::new(round) as Box<dyn FnMut() -> f64>)
        });
        print_line(
            &format!("sync/py{version}/{name}"),
            "ns",
            &alternate(9, contenders.into()),
            "asyncio",
            *goal,
        );
    }
    Ok(())
}

fn round(program: &Py<PyDict>, call: String) -> f64 {
    let call = std::ffi::CString::new(call).unwrap();
    Python::attach(|py| {
        let start = Clock::Cpu.now();
        py.run(&call, Some(program.bind(py)), None).unwrap();
        Clock::Cpu.now() - start
    })
}

fn load(py: Python<'_>) -> PyResult<Py<PyDict>> {
    let globals = PyDict::new(py);
    globals.set_item("ferry", py.import("asyncferry")?)?;
    py.run(pyo3::ffi::c_str!(include_str!("../sync_contenders/programs.py")), Some(&globals), None)?;
    Ok(globals.unbind())
}
