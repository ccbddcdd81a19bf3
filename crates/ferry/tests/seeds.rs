//! `FERRY_SEED` in the environment of a test's process: it runs that seed alone. The process is this test's own.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use asyncferry::testing;
use std::{env, process::Command};

/// Set in the process that the test starts.
const INSIDE: &str = "FERRY_TEST_INSIDE";

#[test]
fn the_environment_chooses_the_seed() {
    if env::var_os(INSIDE).is_some() {
        println!("{} ran", testing::seeds(5).run(|| async {}));
        testing::seeds(5).run(|| async { Err::<(), _>("always") });
    }
    for (seed, expected) in [
        ("3", &["1 ran", "seed 3, failed", "FERRY_SEED=3"][..]),
        ("x", &["FERRY_SEED is \"x\", which is no seed"]),
    ] {
        let mut inside = Command::new(env::current_exe().unwrap());
        inside.args(["--exact", "the_environment_chooses_the_seed", "--nocapture"]);
        let ended = inside.env(INSIDE, "1").env("FERRY_SEED", seed).output().unwrap();
        let told = String::from_utf8_lossy(&[ended.stdout, ended.stderr].concat()).into_owned();
        assert!(!ended.status.success(), "{told}");
        for words in expected {
            assert!(told.contains(words), "{words:?} is not in {told}");
        }
    }
}
