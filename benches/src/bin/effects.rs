//! Ferry's effect programs beside those of doeff 0.8.0, asyncio's tasks, and a trampoline of a few lines of Python.
//!
//! `effects [NAME…]` runs the named measurements, or all. Figures are CPU time of the process an operation, in turns. Where
//! programs await, Ferry's run in asyncio's loop, and those of doeff on its own thread's. `parked_task` is memory: what
//! the process has grown by, a task that waits, each contender in a process of its own.

use asyncferry_python::{append_to_inittab, interpreter};
use ferry_benches::{alternate, print_line};
use pyo3::{prelude::*, types::PyDict};
use std::{collections::BTreeMap, process::Command};

/// A measurement's name, how many operations a round has, the peer that the goal is about, and the goal.
type Bench = (&'static str, usize, &'static str, Option<f64>);

const BENCHES: &[Bench] = &[
    ("get_put", 20_000, "doeff", Some(0.33)),
    ("get", 20_000, "doeff", None),
    ("tell", 20_000, "doeff", None),
    ("user_handler", 20_000, "doeff", Some(0.4)),
    ("sub_program", 20_000, "doeff", Some(0.7)),
    ("await_done", 5_000, "doeff", Some(0.03)),
    ("spawn_wait", 10_000, "doeff", Some(0.35)),
    ("spawn_gather", 10_000, "asyncio", Some(0.5)),
    ("await_gather", 5_000, "doeff", Some(0.1)),
    ("await_turn_gather", 5_000, "doeff", None),
    ("try_ok", 10_000, "doeff", Some(0.1)),
];

const PARKED: Bench = ("parked_task", 20_000, "doeff", Some(0.3));

/// How long a sleep of 10 ms takes beside a busy program, with its median of so many. What is asked for is 20 ms at most.
const SLEEP: Bench = ("sleep_beside_busy", 20, "doeff", None);

const ROUNDS: usize = 7;

/// Has a process measure the memory of one contender.
const ALONE: &str = "--parked-task-of";

fn main() -> anyhow::Result<()> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    append_to_inittab();
    interpreter::ensure_started().map_err(|error| anyhow::anyhow!("{error}"))?;
    let program = Python::attach(load)?;
    if let [option, call] = &*arguments
        && option == ALONE
    {
        println!("{}", evaluate(&program, call));
        return Ok(());
    }
    let known = || BENCHES.iter().chain([&SLEEP, &PARKED]).map(|(name, ..)| *name);
    if let Some(unknown) = arguments.iter().find(|name| !known().any(|known| known == *name)) {
        anyhow::bail!(
            "there is no measurement '{unknown}'; there are: {}",
            known().collect::<Vec<_>>().join(", ")
        );
    }
    let version = interpreter::linked_version();
    let version = version.rsplit_once('.').map_or(version, |(short, _)| short);
    let is_wanted = |name: &str| arguments.is_empty() || arguments.iter().any(|wanted| wanted == name);
    for &(name, operations, against, goal) in BENCHES.iter().filter(|(name, ..)| is_wanted(name)) {
        let contenders = contenders(&program, name, operations).into_iter().map(|(shown, call)| {
            let program = &program;
            let round = move || evaluate(program, &format!("timed({call})")) / operations as f64;
            (shown, Box::new(round) as Box<dyn FnMut() -> f64>)
        });
        let figures = alternate(ROUNDS, contenders.collect());
        print_line(&format!("effects/py{version}/{name}"), "ns", &figures, against, goal);
    }
    if is_wanted(SLEEP.0) {
        let (name, sleeps, against, goal) = SLEEP;
        let contenders = contenders(&program, name, sleeps).into_iter().map(|(shown, call)| {
            let program = &program;
            (shown, Box::new(move || evaluate(program, &call)) as Box<dyn FnMut() -> f64>)
        });
        let figures = alternate(3, contenders.collect());
        print_line(&format!("effects/py{version}/{name}"), "ms", &figures, against, goal);
    }
    if is_wanted(PARKED.0) {
        let (name, tasks, against, goal) = PARKED;
        let figures: BTreeMap<_, _> = contenders(&program, name, tasks)
            .into_iter()
            .map(|(shown, call)| alone(&call).map(|bytes| (shown.to_owned(), bytes)))
            .collect::<anyhow::Result<_>>()?;
        print_line(&format!("effects/py{version}/{name}"), "bytes", &figures, against, goal);
    }
    Ok(())
}

/// Who takes part, and what makes its round.
fn contenders(program: &Py<PyDict>, name: &str, operations: usize) -> Vec<(&'static str, String)> {
    let mut all = vec![
        ("ferry", format!("{name}(ferry, {operations})")),
        ("doeff", format!("{name}(doeff, {operations})")),
    ];
    for peer in ["asyncio", "trampoline"] {
        let function = format!("{name}_{peer}");
        let is_there = Python::attach(|py| program.bind(py).contains(&function).unwrap_or(false));
        if is_there {
            all.push((peer, format!("{function}({operations})")));
        }
    }
    all
}

/// What a process of its own measures.
fn alone(call: &str) -> anyhow::Result<f64> {
    let output = Command::new(std::env::current_exe()?).args([ALONE, call]).output()?;
    let text = String::from_utf8_lossy(&output.stdout);
    text.trim().parse().map_err(|_| {
        anyhow::anyhow!("{call} has measured nothing: {}", String::from_utf8_lossy(&output.stderr))
    })
}

fn evaluate(program: &Py<PyDict>, call: &str) -> f64 {
    let call = std::ffi::CString::new(call).unwrap();
    Python::attach(|py| py.eval(&call, Some(program.bind(py)), None).unwrap().extract().unwrap())
}

fn load(py: Python<'_>) -> PyResult<Py<PyDict>> {
    let globals = PyDict::new(py);
    py.run(pyo3::ffi::c_str!(include_str!("../effects_contenders/programs.py")), Some(&globals), None)?;
    py.run(c"ferry, doeff = Ferry(), Doeff()", Some(&globals), None)?;
    Ok(globals.unbind())
}
