//! A run of several stages: all of them run unless `--fail-fast` is given, and the closing lines tell each
//! stage's outcome and time, then what was left out and why.

use std::fmt::Write as _;
use std::time::{Duration, Instant};

use anyhow::{Result, bail};

/// Whether stages still run after one has failed.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum AfterFailure {
    Continue,
    Stop,
}

/// The stages of one run, in the order in which they were asked for.
pub(crate) struct Stages {
    after_failure: AfterFailure,
    ended: Vec<Ended>,
    left_out: Vec<(String, String)>,
}

struct Ended {
    name: String,
    time: Duration,
    /// What the stage has to tell, or why it failed.
    outcome: Result<String>,
}

impl Stages {
    pub(crate) fn new(after_failure: AfterFailure) -> Self {
        Self { after_failure, ended: Vec::new(), left_out: Vec::new() }
    }

    pub(crate) fn after_failure(&self) -> AfterFailure {
        self.after_failure
    }

    /// Runs `work` as the next stage; its text is shown beside the outcome.
    pub(crate) fn run(&mut self, name: &str, work: impl FnOnce() -> Result<String>) {
        if self.after_failure == AfterFailure::Stop && self.failures() > 0 {
            self.leave_out(name, "a stage before it failed, and --fail-fast was given");
            return;
        }
        eprintln!("\n== {name}");
        let start = Instant::now();
        let outcome = work();
        if let Err(error) = &outcome {
            eprintln!("{name}: {error:#}");
        }
        self.ended.push(Ended { name: name.to_owned(), time: start.elapsed(), outcome });
    }

    /// Records a stage that cannot run here.
    pub(crate) fn leave_out(&mut self, name: &str, reason: &str) {
        self.left_out.push((name.to_owned(), reason.to_owned()));
    }

    /// Prints the closing lines.
    ///
    /// # Errors
    ///
    /// If any stage failed.
    pub(crate) fn finish(self) -> Result<()> {
        print!("{}", self.closing_lines());
        match self.failures() {
            0 => Ok(()),
            failures => bail!("{failures} of {} stages failed.", self.ended.len()),
        }
    }

    fn failures(&self) -> usize {
        self.ended.iter().filter(|stage| stage.outcome.is_err()).count()
    }

    fn closing_lines(&self) -> String {
        let width = self.ended.iter().map(|stage| stage.name.chars().count()).max().unwrap_or(0);
        let mut text = String::from("\nstages:\n");
        for Ended { name, time, outcome } in &self.ended {
            let (word, told) = match outcome {
                Ok(told) => ("passed", told.clone()),
                Err(error) => ("FAILED", format!("{error:#}")),
            };
            let line = format!("  {word}  {name:width$}  {:7.1} s  {told}", time.as_secs_f64());
            _ = writeln!(text, "{}", line.trim_end());
        }
        if !self.left_out.is_empty() {
            text.push_str("left out:\n");
        }
        for (name, reason) in &self.left_out {
            _ = writeln!(text, "  {name}: {reason}");
        }
        text
    }
}

#[cfg(test)]
mod tests {
    use anyhow::anyhow;

    use super::*;

    fn three_stages(after_failure: AfterFailure) -> (Vec<&'static str>, Stages) {
        let mut ran = Vec::new();
        let mut stages = Stages::new(after_failure);
        stages.run("first", || {
            ran.push("first");
            Ok("3 tests".into())
        });
        stages.run("second", || Err(anyhow!("it broke")));
        stages.run("third", || {
            ran.push("third");
            Ok(String::new())
        });
        (ran, stages)
    }

    #[test]
    fn every_stage_runs_although_one_fails() {
        let (ran, mut stages) = three_stages(AfterFailure::Continue);
        assert_eq!(ran, ["first", "third"]);
        stages.leave_out("fourth", "nothing to run it with");
        for stage in &mut stages.ended {
            stage.time = Duration::from_millis(1250);
        }
        let expected = "
stages:
  passed  first       1.2 s  3 tests
  FAILED  second      1.2 s  it broke
  passed  third       1.2 s
left out:
  fourth: nothing to run it with
";
        assert_eq!(stages.closing_lines(), expected);
        assert_eq!(stages.finish().unwrap_err().to_string(), "1 of 3 stages failed.");
    }

    #[test]
    fn fail_fast_leaves_out_what_follows_a_failure() {
        let (ran, stages) = three_stages(AfterFailure::Stop);
        assert_eq!(ran, ["first"]);
        assert!(stages.closing_lines().contains("  third: a stage before it failed"));
        assert!(stages.finish().is_err());
    }

    #[test]
    fn a_run_without_failures_ends_well() {
        let mut stages = Stages::new(AfterFailure::Continue);
        stages.run("only", || Ok(String::new()));
        assert!(stages.finish().is_ok());
    }
}
