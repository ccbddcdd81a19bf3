//! A file of more than 800 lines holds more than one concept, unless `xtask/tidy-exceptions.txt` lists it
//! with a reason. An exception that is no longer needed must go, so that the list stays true.

use super::{Finding, Tree};

const MOST_LINES: usize = 800;
const EXCEPTIONS: &str = "xtask/tidy-exceptions.txt";

/// A line of the exceptions file: `path reason`.
struct Exception<'a> {
    line: usize,
    path: &'a str,
    reason: &'a str,
}

pub(super) fn findings(tree: &Tree) -> Vec<Finding> {
    let exceptions = exceptions(tree);
    let excepted = |path: &str| exceptions.iter().any(|exception| exception.path == path);
    let mut findings: Vec<Finding> = long_files(tree)
        .filter(|(path, _)| !excepted(path))
        .map(|(path, lines)| {
            let told =
                format!("the file has {lines} lines; split it, or list it with a reason in {EXCEPTIONS}.");
            Finding::new(path, MOST_LINES + 1, told)
        })
        .collect();
    for Exception { line, path, reason } in &exceptions {
        if reason.is_empty() {
            findings.push(Finding::new(
                EXCEPTIONS,
                *line,
                format!("{path} is listed without a reason; add it."),
            ));
        }
        if !long_files(tree).any(|(long, _)| long == *path) {
            let told = format!("{path} needs no exception (it is short, or gone); remove this line.");
            findings.push(Finding::new(EXCEPTIONS, *line, told));
        }
    }
    findings
}

fn long_files(tree: &Tree) -> impl Iterator<Item = (&str, usize)> {
    tree.texts(&["rs", "py"])
        .map(|(path, text)| (path, text.lines().count()))
        .filter(|(_, lines)| *lines > MOST_LINES)
}

fn exceptions(tree: &Tree) -> Vec<Exception<'_>> {
    let text = tree.text(EXCEPTIONS).unwrap_or_default();
    let numbered = text.lines().enumerate().map(|(index, line)| (index + 1, line.trim()));
    numbered
        .filter(|(_, line)| !line.is_empty() && !line.starts_with('#'))
        .map(|(line, entry)| {
            let (path, reason) = entry.split_once(char::is_whitespace).unwrap_or((entry, ""));
            Exception { line, path, reason: reason.trim() }
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tidy::check_rule;

    #[test]
    fn more_than_800_lines_need_an_exception() {
        let (full, long) = ("//\n".repeat(800), "//\n".repeat(801));
        let files = [("crates/full.rs", full.as_str()), ("crates/long.rs", &long), ("python/long.py", &long)];
        let expected = [
            "crates/long.rs:801: the file has 801 lines; split it, or list it with a reason \
             in xtask/tidy-exceptions.txt.",
            "python/long.py:801: the file has 801 lines; split it, or list it with a reason \
             in xtask/tidy-exceptions.txt.",
        ];
        check_rule(findings, &files, &expected);
    }

    #[test]
    fn an_exception_needs_a_reason_and_a_long_file() {
        let long = "//\n".repeat(801);
        let list =
            "# path reason\n\na.rs one table, read as a whole\nb.rs\nc.rs was long once\ngone.rs was here\n";
        let files = [("a.rs", long.as_str()), ("b.rs", &long), ("c.rs", "//\n"), (EXCEPTIONS, list)];
        let expected = [
            "xtask/tidy-exceptions.txt:4: b.rs is listed without a reason; add it.",
            "xtask/tidy-exceptions.txt:5: c.rs needs no exception (it is short, or gone); remove this line.",
            "xtask/tidy-exceptions.txt:6: gone.rs needs no exception (it is short, or gone); \
             remove this line.",
        ];
        check_rule(findings, &files, &expected);
    }
}
