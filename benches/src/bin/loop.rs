//! The loop beside tokio's current-thread runtime, async-executor's LocalExecutor and asyncio.
//!
//! `loop [NAME…]` runs the named measurements, or all. Figures are CPU time an operation, but for the
//! overshoot, which is wall time, and the bytes.

use ferry_benches::{Clock, alternate, print_line};
use std::{collections::BTreeMap, process::Command};

#[path = "../loop_contenders/mod.rs"]
mod contenders;
use contenders::{asyncio, ferry, local, tokio_ct};

type Run = fn() -> f64;

struct Bench {
    name: &'static str,
    unit: &'static str,
    rounds: usize,
    runs: &'static [(&'static str, Run)],
    goal: f64,
}

macro_rules! bench {
    ($name:ident, $rounds:expr, $goal:expr, [$($contender:ident),*]) => {
        Bench {
            name: stringify!($name),
            unit: "ns",
            rounds: $rounds,
            runs: &[("ferry", ferry::$name), ("tokio", tokio_ct::$name), ("tokio spawned", || tokio_ct::spawned(tokio_ct::$name)), $((stringify!($contender), $contender::$name)),*],
            goal: $goal,
        }
    };
}

const BENCHES: &[Bench] = &[
    bench!(spawn_await, 9, 0.45, [local]),
    bench!(spawn_join_10k, 9, 0.5, [local]),
    bench!(yield_one, 9, 0.16, [local]),
    bench!(yield_1000, 9, 0.8, [local]),
    bench!(request_reply, 9, 0.5, [local]),
    bench!(sleep_overshoot_1ms, 5, 0.06, []),
    bench!(timeout_ready, 9, 0.06, []),
    bench!(timeout_pending, 9, 0.35, []),
    bench!(timers_arm, 5, 0.35, []),
    bench!(timers_cancel, 5, 0.4, []),
    bench!(sleepers_200k, 5, 1.0, []),
];

fn main() -> anyhow::Result<()> {
    let wanted: Vec<String> = std::env::args().skip(1).collect();
    if let [flag, contender] = wanted.as_slice()
        && flag == "--idle-bytes"
    {
        println!("{}", contenders::idle_bytes(contender));
        return Ok(());
    }
    let known: Vec<_> = BENCHES.iter().map(|bench| bench.name).chain(["bytes_per_task"]).collect();
    if let Some(unknown) = wanted.iter().find(|name| !known.contains(&name.as_str())) {
        anyhow::bail!("there is no measurement '{unknown}'; there are: {}", known.join(", "));
    }
    let is_wanted = |name: &str| wanted.is_empty() || wanted.iter().any(|wanted| wanted == name);
    let pythons = asyncio::measure(&known, is_wanted);
    for bench in BENCHES.iter().filter(|bench| is_wanted(bench.name)) {
        let runs = bench.runs.iter().map(|(name, run)| (*name, Box::new(run) as Box<dyn FnMut() -> f64>));
        let mut figures = alternate(bench.rounds, runs.collect());
        if let Some(local) = figures.remove("local") {
            figures.insert("async-executor".to_owned(), local);
        }
        figures.extend(pythons.get(bench.name).cloned().unwrap_or_default());
        print_line(&format!("loop/{}", bench.name), bench.unit, &figures, "tokio", Some(bench.goal));
        if bench.name == "sleep_overshoot_1ms" && figures.contains_key("asyncio") {
            print_line("loop/sleep_overshoot_1ms_asyncio", bench.unit, &figures, "asyncio", Some(0.5));
        }
    }
    if is_wanted("bytes_per_task") {
        bytes_per_task()?;
    }
    Ok(())
}

/// Each contender in a process of its own, as memory that one has freed would serve the next. The goal is in
/// bytes: 120 of ours.
fn bytes_per_task() -> anyhow::Result<()> {
    let mut figures = BTreeMap::new();
    for contender in ["ferry", "tokio", "async-executor"] {
        let output = Command::new(std::env::current_exe()?).args(["--idle-bytes", contender]).output()?;
        anyhow::ensure!(output.status.success(), "{contender}: {}", String::from_utf8_lossy(&output.stderr));
        figures.insert(contender.to_owned(), String::from_utf8(output.stdout)?.trim().parse::<f64>()?);
    }
    let goal = figures.get("tokio").map(|tokio| 120.0 / tokio);
    print_line("loop/bytes_per_task", "bytes", &figures, "tokio", goal);
    Ok(())
}

/// CPU time an operation, in nanoseconds.
fn per_op(operations: usize, run: impl FnOnce()) -> f64 {
    let start = Clock::Cpu.now();
    run();
    (Clock::Cpu.now() - start) / operations as f64
}
