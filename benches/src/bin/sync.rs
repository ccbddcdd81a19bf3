//! Ferry's primitives beside those of tokio, async-lock, async-channel, flume, kanal, oneshot, tokio-util and
//! futures-buffered.
//!
//! `sync [NAME…]` runs the named measurements, or all. Ours, and peers without a runtime, run on Ferry's loop;
//! tokio's run on its current-thread runtime. Figures are CPU time of all threads, an operation. To add one,
//! write each contender's function in `sync_contenders`, and name them in the table here.

use ferry_benches::{alternate, print_line};

#[path = "../sync_contenders/mod.rs"]
mod contenders;
use contenders::{ferry, peers, tokio_ct};

type Run = fn() -> f64;

struct Bench {
    name: &'static str,
    ferry: Run,
    peers: &'static [(&'static str, Run)],
    /// The peer that the goal is about.
    against: &'static str,
    goal: Option<f64>,
}

const BENCHES: &[Bench] = &[
    Bench {
        name: "promise_set_await",
        ferry: ferry::promise_set_await,
        peers: &[("oneshot", peers::promise_set_await), ("tokio", tokio_ct::promise_set_await)],
        against: "oneshot",
        goal: Some(1.0),
    },
    Bench {
        name: "promise_await_set",
        ferry: ferry::promise_await_set,
        peers: &[("oneshot", peers::promise_await_set), ("tokio", tokio_ct::promise_await_set)],
        against: "oneshot",
        goal: None,
    },
    Bench {
        name: "queue_128",
        ferry: ferry::queue_128,
        peers: &[
            ("tokio", tokio_ct::queue_128),
            ("async-channel", peers::async_channel_128),
            ("flume", peers::flume_128),
            ("kanal", peers::kanal_128),
        ],
        against: "tokio",
        goal: Some(0.2),
    },
    Bench {
        name: "queue_128_two_threads",
        ferry: ferry::queue_128_two_threads,
        peers: &[
            ("tokio", tokio_ct::queue_128_two_threads),
            ("async-channel", peers::async_channel_128_two_threads),
            ("flume", peers::flume_128_two_threads),
            ("kanal", peers::kanal_128_two_threads),
        ],
        against: "tokio",
        goal: Some(0.6),
    },
    Bench {
        name: "event_set",
        ferry: ferry::event_set,
        peers: &[("tokio-util", tokio_ct::event_set)],
        against: "tokio-util",
        goal: Some(0.2),
    },
    Bench {
        name: "lock_free",
        ferry: ferry::lock_free,
        peers: &[("tokio", tokio_ct::lock_free), ("async-lock", peers::lock_free)],
        against: "tokio",
        goal: Some(1.0),
    },
    Bench {
        name: "lock_100_tasks",
        ferry: ferry::lock_100_tasks,
        peers: &[("tokio", tokio_ct::lock_100_tasks), ("async-lock", peers::lock_100_tasks)],
        against: "tokio",
        goal: Some(1.0),
    },
    Bench {
        name: "semaphore_free",
        ferry: ferry::semaphore_free,
        peers: &[("tokio", tokio_ct::semaphore_free), ("async-lock", peers::semaphore_free)],
        against: "tokio",
        goal: Some(1.0),
    },
    Bench {
        name: "semaphore_100_tasks",
        ferry: ferry::semaphore_100_tasks,
        peers: &[("tokio", tokio_ct::semaphore_100_tasks), ("async-lock", peers::semaphore_100_tasks)],
        against: "tokio",
        goal: Some(1.0),
    },
    Bench {
        name: "gather_10k",
        ferry: ferry::gather_10k,
        peers: &[("futures-buffered", peers::gather_10k)],
        against: "futures-buffered",
        goal: Some(1.0),
    },
];

const ROUNDS: usize = 21;

fn main() -> anyhow::Result<()> {
    let wanted: Vec<String> = std::env::args().skip(1).collect();
    let known: Vec<_> = BENCHES.iter().map(|bench| bench.name).collect();
    if let Some(unknown) = wanted.iter().find(|name| !known.contains(&name.as_str())) {
        anyhow::bail!("there is no measurement '{unknown}'; there are: {}", known.join(", "));
    }
    let is_wanted = |name: &str| wanted.is_empty() || wanted.iter().any(|wanted| wanted == name);
    for bench in BENCHES.iter().filter(|bench| is_wanted(bench.name)) {
        let all = [("ferry", bench.ferry)].into_iter().chain(bench.peers.iter().copied());
        let runs = all.map(|(name, run)| (name, Box::new(run) as Box<dyn FnMut() -> f64>));
        let figures = alternate(ROUNDS, runs.collect());
        print_line(&format!("sync/{}", bench.name), "ns", &figures, bench.against, bench.goal);
    }
    Ok(())
}
