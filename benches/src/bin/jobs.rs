//! Ferry's pool of jobs beside a crossbeam channel with oneshots, rayon's pool and tokio's blocking threads.
//!
//! `jobs [NAME…]` runs the named measurements, or all, with 1, 2 and 4 workers each: `tiny` jobs, of which 10,000 are in flight at
//! once; a `stream` of them, with 100 in flight; jobs of `one_ms`, which sleep; and `round_trip`, one job after another, with its median
//! and its 99th percentile. Figures are of the clock on the wall, a job. Ours has its queue with priorities, its metrics and its
//! handles switched on, as it always has; the others have none of that.

use asyncferry::jobs::{Job, Pool};
use ferry_benches::{alternate, print_line};
use std::{
    collections::BTreeMap,
    convert::Infallible,
    hint::black_box,
    thread,
    time::{Duration, Instant},
};
use tokio::runtime::{Builder, Runtime};

/// What runs closures on other threads.
trait Workers {
    type Handle;

    fn start(workers: usize) -> Self;
    fn submit(&self, job: impl FnOnce() -> u64 + Send + 'static) -> Self::Handle;
    fn wait(&self, handle: Self::Handle) -> u64;
}

struct Ferry(Pool);

impl Workers for Ferry {
    type Handle = Job<u64>;

    fn start(workers: usize) -> Self {
        Self(Pool::builder().workers(workers).build())
    }

    fn submit(&self, job: impl FnOnce() -> u64 + Send + 'static) -> Job<u64> {
        self.0.blocking(move |_| Ok::<_, Infallible>(job())).submit_blocking().unwrap()
    }

    fn wait(&self, handle: Job<u64>) -> u64 {
        handle.wait().unwrap()
    }
}

type Boxed = Box<dyn FnOnce() + Send>;

/// As many may wait as in Ferry's pool.
const BOUND: usize = 1 << 16;

struct Crossbeam(crossbeam_channel::Sender<Boxed>);

impl Workers for Crossbeam {
    type Handle = oneshot::Receiver<u64>;

    fn start(workers: usize) -> Self {
        let (sender, jobs) = crossbeam_channel::bounded::<Boxed>(BOUND);
        for _ in 0..workers {
            let jobs = jobs.clone();
            thread::spawn(move || jobs.into_iter().for_each(|job| job()));
        }
        Self(sender)
    }

    fn submit(&self, job: impl FnOnce() -> u64 + Send + 'static) -> Self::Handle {
        let (sender, receiver) = oneshot::channel();
        self.0.send(Box::new(move || drop(sender.send(job())))).unwrap();
        receiver
    }

    fn wait(&self, handle: Self::Handle) -> u64 {
        handle.recv().unwrap()
    }
}

struct Rayon(rayon_core::ThreadPool);

impl Workers for Rayon {
    type Handle = oneshot::Receiver<u64>;

    fn start(workers: usize) -> Self {
        Self(rayon_core::ThreadPoolBuilder::new().num_threads(workers).build().unwrap())
    }

    fn submit(&self, job: impl FnOnce() -> u64 + Send + 'static) -> Self::Handle {
        let (sender, receiver) = oneshot::channel();
        self.0.spawn(move || drop(sender.send(job())));
        receiver
    }

    fn wait(&self, handle: Self::Handle) -> u64 {
        handle.recv().unwrap()
    }
}

struct Tokio(Runtime);

impl Workers for Tokio {
    type Handle = tokio::task::JoinHandle<u64>;

    fn start(workers: usize) -> Self {
        Self(Builder::new_current_thread().max_blocking_threads(workers).build().unwrap())
    }

    fn submit(&self, job: impl FnOnce() -> u64 + Send + 'static) -> Self::Handle {
        self.0.spawn_blocking(job)
    }

    fn wait(&self, handle: Self::Handle) -> u64 {
        futures_lite::future::block_on(handle).unwrap()
    }
}

/// So many jobs, `in_flight` of which are waited for together; nanoseconds a job.
fn bursts<W: Workers>(workers: &W, jobs: u64, in_flight: u64, job: fn(u64) -> u64) -> f64 {
    let start = Instant::now();
    for burst in 0..jobs / in_flight {
        let handles: Vec<_> =
            (0..in_flight).map(|number| workers.submit(move || job(burst + number))).collect();
        for handle in handles {
            black_box(workers.wait(handle));
        }
    }
    start.elapsed().as_nanos() as f64 / jobs as f64
}

/// One job after another; the quantile of how long it takes, in nanoseconds.
fn round_trip<W: Workers>(workers: &W, quantile: f64) -> f64 {
    const JOBS: u64 = 2_000;
    let mut times: Vec<_> = (0..JOBS)
        .map(|number| {
            let start = Instant::now();
            black_box(workers.wait(workers.submit(move || number)));
            start.elapsed().as_nanos() as f64
        })
        .collect();
    times.sort_by(f64::total_cmp);
    times[((times.len() - 1) as f64 * quantile) as usize]
}

fn same(number: u64) -> u64 {
    number
}

fn sleeps(number: u64) -> u64 {
    thread::sleep(Duration::from_millis(1));
    number
}

/// A measurement of any contender.
#[derive(Clone, Copy)]
enum Measure {
    Bursts { jobs: u64, in_flight: u64, job: fn(u64) -> u64 },
    RoundTrip(f64),
}

impl Measure {
    fn of<W: Workers>(self, workers: &W) -> f64 {
        match self {
            Self::Bursts { jobs, in_flight, job } => bursts(workers, jobs, in_flight, job),
            Self::RoundTrip(quantile) => round_trip(workers, quantile),
        }
    }
}

/// A measurement's name, what it is, how many rounds it has, and the goals against crossbeam and against tokio.
type Bench = (&'static str, Measure, usize, Option<f64>, Option<f64>);

const BENCHES: &[Bench] = &[
    ("tiny", Measure::Bursts { jobs: 50_000, in_flight: 10_000, job: same }, 15, Some(0.8), Some(0.3)),
    ("stream", Measure::Bursts { jobs: 20_000, in_flight: 100, job: same }, 15, None, None),
    ("one_ms", Measure::Bursts { jobs: 200, in_flight: 200, job: sleeps }, 5, None, None),
    ("round_trip_p50", Measure::RoundTrip(0.5), 15, Some(1.0), None),
    ("round_trip_p99", Measure::RoundTrip(0.99), 15, None, None),
];

fn main() -> anyhow::Result<()> {
    let wanted: Vec<String> = std::env::args().skip(1).collect();
    let known: Vec<_> = BENCHES.iter().map(|(name, ..)| *name).collect();
    if let Some(unknown) = wanted.iter().find(|name| !known.contains(&name.as_str())) {
        anyhow::bail!("there is no measurement '{unknown}'; there are: {}", known.join(", "));
    }
    let is_wanted = |name: &str| wanted.is_empty() || wanted.iter().any(|wanted| wanted == name);
    for workers in [1, 2, 4] {
        let (ferry, crossbeam) = (Ferry::start(workers), Crossbeam::start(workers));
        let (rayon, tokio) = (Rayon::start(workers), Tokio::start(workers));
        for &(name, measure, rounds, goal, tokio_goal) in BENCHES.iter().filter(|(name, ..)| is_wanted(name))
        {
            let figures: BTreeMap<String, f64> = alternate(
                rounds,
                vec![
                    ("ferry", Box::new(|| measure.of(&ferry))),
                    ("crossbeam", Box::new(|| measure.of(&crossbeam))),
                    ("rayon", Box::new(|| measure.of(&rayon))),
                    ("spawn_blocking", Box::new(|| measure.of(&tokio))),
                ],
            );
            let name = format!("jobs/{name}/{workers}_workers");
            print_line(&name, "ns", &figures, "crossbeam", goal);
            if tokio_goal.is_some() {
                print_line(&format!("{name}_to_tokio"), "ns", &figures, "spawn_blocking", tokio_goal);
            }
        }
    }
    Ok(())
}
