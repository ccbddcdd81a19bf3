//! The measurements.

/// How many operations a figure is of.
pub(crate) const OPS: u32 = 5_000;
/// How many tasks there are at once.
pub(crate) const MANY: u32 = 10_000;
/// Sleeps in a row, as a browser holds back nested timers from the sixth on.
pub(crate) const SLEEPS: usize = 20;

/// The names of the measurements.
pub(crate) const NAMES: [&str; 6] =
    ["spawn_await", "spawn_join_10k", "yield_one", "yield_1000", "queue_128", "sleep_overshoot_1ms"];

pub(crate) fn median(mut figures: Vec<f64>) -> f64 {
    figures.sort_by(f64::total_cmp);
    figures[figures.len() / 2]
}

/// Makes `async fn measure(name) -> f64` of what a runtime calls things.
macro_rules! contend {
    (
        now: $Instant:path,
        spawn: |$future:ident| $spawn:expr,
        yield_now: $yield_now:expr,
        sleep: |$duration:ident| $sleep:expr,
        channel: |$room:ident| $channel:expr,
        put: |$sender:ident, $item:ident| $put:expr,
        get: |$receiver:ident| $get:expr $(,)?
    ) => {
        use crate::contend::{MANY, OPS, SLEEPS, median};
        use std::time::Duration;

        pub(crate) async fn measure(name: &str) -> f64 {
            match name {
                "spawn_await" => spawn_await().await,
                "spawn_join_10k" => spawn_join().await,
                "yield_one" => yield_one().await,
                "yield_1000" => yield_many().await,
                "queue_128" => queue().await,
                "sleep_overshoot_1ms" => sleep_overshoot().await,
                _ => f64::NAN,
            }
        }

        fn since(start: $Instant, operations: u32) -> f64 {
            start.elapsed().as_nanos() as f64 / f64::from(operations)
        }

        async fn spawn_await() -> f64 {
            let start = <$Instant>::now();
            for number in 0..OPS {
                let $future = async move { number };
                let _ = $spawn.await;
            }
            since(start, OPS)
        }

        async fn spawn_join() -> f64 {
            let start = <$Instant>::now();
            let mut tasks = Vec::new();
            for number in 0..MANY {
                let $future = async move { number };
                tasks.push($spawn);
            }
            for task in tasks {
                let _ = task.await;
            }
            since(start, MANY)
        }

        async fn yield_one() -> f64 {
            let start = <$Instant>::now();
            for _ in 0..4 * OPS {
                $yield_now.await;
            }
            since(start, 4 * OPS)
        }

        async fn yield_many() -> f64 {
            let start = <$Instant>::now();
            let mut tasks = Vec::new();
            for _ in 0..1000 {
                let $future = async {
                    for _ in 0..20 {
                        $yield_now.await;
                    }
                    0
                };
                tasks.push($spawn);
            }
            for task in tasks {
                let _ = task.await;
            }
            since(start, 20_000)
        }

        async fn queue() -> f64 {
            let $room = 128;
            #[allow(unused_mut)]
            let (mut $sender, mut $receiver) = $channel;
            let start = <$Instant>::now();
            let $future = async move {
                for $item in 0..MANY {
                    $put;
                }
                0
            };
            let producer = $spawn;
            for _ in 0..MANY {
                $get;
            }
            let figure = since(start, MANY);
            let _ = producer.await;
            figure
        }

        async fn sleep_overshoot() -> f64 {
            let $duration = Duration::from_millis(1);
            let mut overshoots = Vec::new();
            for _ in 0..SLEEPS {
                let start = <$Instant>::now();
                $sleep.await;
                overshoots.push(start.elapsed().as_nanos() as f64 - 1e6);
            }
            median(overshoots)
        }
    };
}
