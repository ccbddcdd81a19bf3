//! The JSON lines that a benchmark prints.

use serde_json::{Map, Value, json};
use std::collections::BTreeMap;

/// One measurement of ours beside the same of our peers.
pub struct Line<'a> {
    /// Its name, as `loop/spawn_await`.
    pub bench: &'a str,
    /// What the figures count.
    pub unit: &'a str,
    /// Each contender's figure; `ferry` is ours.
    pub figures: &'a BTreeMap<String, f64>,
    /// The peer that the ratio is taken to.
    pub against: &'a str,
    /// The greatest ratio that the goal allows.
    pub goal: Option<f64>,
}

impl Line<'_> {
    /// Prints the line. `ours / against` is null where either was not measured.
    pub fn print(&self) {
        let rounded = |figure: f64| json!((figure * 1000.0).round() / 1000.0);
        let ours = self.figures.get("ferry").copied();
        let peers: Map<String, Value> = self
            .figures
            .iter()
            .filter(|(name, _)| *name != "ferry")
            .map(|(name, figure)| (name.clone(), rounded(*figure)))
            .collect();
        let ratio = ours.zip(self.figures.get(self.against)).map(|(ours, peer)| ours / peer);
        let line = json!({
            "bench": self.bench,
            "unit": self.unit,
            "ours": ours.map(rounded),
            "peers": peers,
            "against": self.against,
            "ratio": ratio.map(rounded),
            "goal": self.goal,
        });
        println!("{line}");
    }
}

/// Prints the line of `figures` and gives the ratio's inputs up.
pub fn finish(bench: &str, unit: &str, figures: &BTreeMap<String, f64>, against: &str, goal: Option<f64>) {
    Line { bench, unit, figures, against, goal }.print();
}
