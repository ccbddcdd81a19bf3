//! One line of a benchmark's output:
//! `{"bench":"loop/yield","unit":"ns","ours":50.0,"peers":{"tokio":370.0},"against":"tokio","ratio":0.14,"goal":0.16}`.
//!
//! `against` names the peer of `ratio`, which need not be the best one: goals name theirs. `ratio` and `goal`
//! may be null, for a figure without a peer or without a goal; so may a peer's figure, where that peer could
//! not be run. Other keys are further figures of that benchmark and pass unread.

use anyhow::{Context, Result, bail};
use serde_json::Value;

/// What one benchmark measured.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Line {
    pub(crate) bench: String,
    pub(crate) unit: String,
    pub(crate) ours: f64,
    pub(crate) peers: Vec<(String, f64)>,
    pub(crate) against: String,
    pub(crate) ratio: Option<f64>,
    pub(crate) goal: Option<f64>,
}

impl Line {
    /// Reads a line.
    ///
    /// # Errors
    ///
    /// If it is not JSON, or a key is missing or of another type.
    pub(crate) fn parse(text: &str) -> Result<Self> {
        let object: Value = serde_json::from_str(text).context("it is not JSON")?;
        let word = |key: &str| Some(object.get(key)?.as_str()?.to_owned());
        Ok(Self {
            bench: word("bench").context("`bench` must be a text")?,
            unit: word("unit").context("`unit` must be a text")?,
            ours: object.get("ours").and_then(Value::as_f64).context("`ours` must be a number")?,
            peers: peers(&object)?,
            against: word("against").context("`against` must be a text")?,
            ratio: nullable(&object, "ratio")?,
            goal: nullable(&object, "goal")?,
        })
    }

    /// Whether a larger figure is the better one, as it is for a rate ("MB/s").
    pub(crate) fn larger_is_better(&self) -> bool {
        self.unit.ends_with("/s")
    }

    /// The peer with the best figure.
    pub(crate) fn best_peer(&self) -> Option<&(String, f64)> {
        let best = |a: &&(String, f64), b: &&(String, f64)| a.1.total_cmp(&b.1);
        if self.larger_is_better() { self.peers.iter().max_by(best) } else { self.peers.iter().min_by(best) }
    }

    /// Whether the goal was met; nothing where there is no goal, or no ratio to hold against it.
    pub(crate) fn met(&self) -> Option<bool> {
        let (ratio, goal) = (self.ratio?, self.goal?);
        Some(if self.larger_is_better() { ratio >= goal } else { ratio <= goal })
    }
}

fn nullable(object: &Value, key: &str) -> Result<Option<f64>> {
    match object.get(key) {
        Some(Value::Null) => Ok(None),
        Some(Value::Number(number)) => Ok(number.as_f64()),
        _ => bail!("`{key}` must be a number or null"),
    }
}

fn peers(object: &Value) -> Result<Vec<(String, f64)>> {
    let peers = object.get("peers").and_then(Value::as_object).context("`peers` must be an object")?;
    let mut figures = Vec::new();
    for (name, figure) in peers {
        match figure {
            Value::Null => {}
            Value::Number(number) => figures.extend(number.as_f64().map(|number| (name.clone(), number))),
            _ => bail!("peer `{name}` must be a number or null"),
        }
    }
    Ok(figures)
}

#[cfg(test)]
mod tests {
    use super::*;

    const GOOD: &str = r#"{"bench":"loop/yield","unit":"ns","ours":50,"peers":{"tokio":370.5,"asyncio":null,
        "smol":100},"against":"tokio","ratio":0.135,"goal":0.16}"#;

    fn check_error(text: &str, expected: &str) {
        assert_eq!(Line::parse(text).unwrap_err().to_string(), expected);
    }

    #[test]
    fn a_line_is_read_in_full() {
        let line = Line::parse(GOOD).unwrap();
        assert_eq!((line.bench.as_str(), line.unit.as_str(), line.ours), ("loop/yield", "ns", 50.0));
        assert_eq!((line.ratio, line.goal), (Some(0.135), Some(0.16)));
        assert_eq!(line.peers.len(), 2, "the peer that did not run is left out");
    }

    #[test]
    fn the_ratio_names_its_peer_and_the_best_peer_is_told_apart() {
        let line = Line::parse(GOOD).unwrap();
        assert_eq!(line.against, "tokio");
        assert_eq!(line.best_peer().unwrap().0, "smol");
    }

    #[test]
    fn a_goal_is_a_ceiling_for_times_and_a_floor_for_rates() {
        let line = Line::parse(GOOD).unwrap();
        assert_eq!(line.met(), Some(true));
        assert_eq!(Line { ratio: Some(0.17), ..line.clone() }.met(), Some(false));
        assert_eq!(Line { ratio: Some(0.17), unit: "MB/s".into(), ..line.clone() }.met(), Some(true));
        assert_eq!(Line { goal: None, ..line.clone() }.met(), None);
        assert_eq!(Line { ratio: None, ..line }.met(), None);
    }

    #[test]
    fn a_wrong_line_names_its_fault() {
        check_error("{", "it is not JSON");
        check_error(&GOOD.replace("50,", "null,"), "`ours` must be a number");
        check_error(&GOOD.replace("\"ns\"", "3"), "`unit` must be a text");
        check_error(&GOOD.replace("0.16", "\"0.16\""), "`goal` must be a number or null");
        check_error(&GOOD.replace("370.5", "\"fast\""), "peer `tokio` must be a number or null");
        check_error(&GOOD.replace("ratio", "rate"), "`ratio` must be a number or null");
    }
}
