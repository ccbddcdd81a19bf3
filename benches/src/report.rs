//! The JSON lines that a benchmark prints.

use serde_json::{Map, Value, json};
use std::collections::BTreeMap;

/// Prints one measurement: each contender's figure (`ferry` is ours), the ratio of ours to that of `against`,
/// the ratio to the best peer, and the greatest ratio to `against` that the goal allows. A ratio is null where
/// either side was not measured.
pub fn print_line(
    bench: &str,
    unit: &str,
    figures: &BTreeMap<String, f64>,
    against: &str,
    goal: Option<f64>,
) {
    let rounded = |figure: f64| json!((figure * 1000.0).round() / 1000.0);
    let ours = figures.get("ferry").copied();
    let peers = || figures.iter().filter(|(name, _)| *name != "ferry");
    let shown: Map<String, Value> = peers().map(|(name, figure)| (name.clone(), rounded(*figure))).collect();
    let ratio_to = |peer: Option<f64>| ours.zip(peer).map(|(ours, peer)| rounded(ours / peer));
    let line = json!({
        "bench": bench,
        "unit": unit,
        "ours": ours.map(rounded),
        "peers": shown,
        "against": against,
        "ratio": ratio_to(figures.get(against).copied()),
        "ratio_to_best": ratio_to(peers().map(|(_, figure)| *figure).min_by(f64::total_cmp)),
        "goal": goal,
    });
    println!("{line}");
}
