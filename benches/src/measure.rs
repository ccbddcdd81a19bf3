//! Clocks, medians, and rounds in which the contenders take turns, so that noise of the machine meets them
//! all alike.

use std::{collections::BTreeMap, sync::OnceLock, time::Instant};

/// Which clock a measurement reads.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Clock {
    /// The CPU time of all threads of this process.
    Cpu,
    /// The clock on the wall.
    Wall,
}

impl Clock {
    /// Now, in nanoseconds.
    pub fn now(self) -> f64 {
        match self {
            Self::Cpu => cpu_time(),
            Self::Wall => wall_time(),
        }
    }
}

/// CPU time of this process, in nanoseconds.
pub fn cpu_time() -> f64 {
    let time = rustix::time::clock_gettime(rustix::time::ClockId::ProcessCPUTime);
    time.tv_sec as f64 * 1e9 + time.tv_nsec as f64
}

/// Wall time since the first call, in nanoseconds.
pub fn wall_time() -> f64 {
    static START: OnceLock<Instant> = OnceLock::new();
    START.get_or_init(Instant::now).elapsed().as_nanos() as f64
}

/// One contender: its name, and what gives the figure of one round.
pub type Contender<'a> = (&'a str, Box<dyn FnMut() -> f64 + 'a>);

/// Runs `rounds` rounds, each contender once a round in turn, and gives each one's median. A first round
/// warms up and does not count.
pub fn alternate(rounds: usize, mut contenders: Vec<Contender<'_>>) -> BTreeMap<String, f64> {
    let mut figures: Vec<Vec<f64>> = vec![Vec::new(); contenders.len()];
    for round in 0..=rounds {
        for (place, (_, run)) in contenders.iter_mut().enumerate() {
            let figure = run();
            if round > 0 {
                figures[place].push(figure);
            }
        }
    }
    contenders.iter().zip(figures).map(|((name, _), figures)| ((*name).to_owned(), median(figures))).collect()
}

/// The middle one of `figures`.
pub fn median(mut figures: Vec<f64>) -> f64 {
    figures.sort_by(f64::total_cmp);
    figures[figures.len() / 2]
}
