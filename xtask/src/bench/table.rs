//! The table that closes a run of benchmarks, for people.

use super::line::Line;

const HEADER: [&str; 6] = ["bench", "ours", "best peer", "ratio", "goal", ""];

/// The table of `lines`; no text at all where there are none.
pub(crate) fn render(lines: &[Line]) -> String {
    if lines.is_empty() {
        return String::new();
    }
    let rows: Vec<[String; 6]> =
        [HEADER.map(str::to_owned)].into_iter().chain(lines.iter().map(row)).collect();
    let widths: [usize; 6] =
        std::array::from_fn(|column| rows.iter().map(|row| row[column].chars().count()).max().unwrap_or(0));
    let mut text = String::from("\n");
    for row in &rows {
        let cells: Vec<String> =
            row.iter().zip(widths).map(|(cell, width)| format!("{cell:width$}")).collect();
        text.push_str(cells.join("  ").trim_end());
        text.push('\n');
    }
    text
}

fn row(line: &Line) -> [String; 6] {
    let peer =
        line.best_peer().map_or("-".into(), |(name, value)| format!("{} {name}", figure(*value, &line.unit)));
    let ratio = line.ratio.map_or("-".into(), |ratio| format!("{ratio:.3} of {}", line.against));
    let goal = line.goal.map_or("-".into(), |goal| format!("{goal}"));
    let verdict = match line.met() {
        Some(true) => "met",
        Some(false) => "missed",
        None => "",
    };
    [line.bench.clone(), figure(line.ours, &line.unit), peer, ratio, goal, verdict.into()]
}

/// A figure with its unit, in as many digits as a person can use.
fn figure(value: f64, unit: &str) -> String {
    let digits = match value.abs() {
        large if large >= 100.0 => 0,
        medium if medium >= 10.0 => 1,
        _ => 2,
    };
    format!("{value:.digits$} {unit}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_line_is_a_row_with_its_verdict() {
        let lines = [
            r#"{"bench":"loop/spawn_await","unit":"ns","ours":123.4,
                "peers":{"tokio":619.0,"asyncio":6036.0,"async-executor":492},"against":"tokio","ratio":0.2,"goal":0.45}"#,
            r#"{"bench":"loop/yield","unit":"ns","ours":80,"peers":{"tokio":100},"against":"tokio","ratio":0.8,"goal":0.16}"#,
            r#"{"bench":"bytes","unit":"B","ours":9.25,"peers":{},"against":"none","ratio":null,"goal":null}"#,
        ]
        .map(|text| Line::parse(text).unwrap());
        let expected = "
bench             ours     best peer              ratio           goal
loop/spawn_await  123 ns   492 ns async-executor  0.200 of tokio  0.45  met
loop/yield        80.0 ns  100 ns tokio           0.800 of tokio  0.16  missed
bytes             9.25 B   -                      -               -
";
        assert_eq!(render(&lines), expected);
    }

    #[test]
    fn no_lines_no_table() {
        assert_eq!(render(&[]), "");
    }
}
