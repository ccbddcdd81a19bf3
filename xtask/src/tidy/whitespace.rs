//! No tabs, no white space at line ends, and a newline at the end of a file: what editors would otherwise
//! change back and forth.

use super::{Finding, Tree};

pub(super) fn findings(tree: &Tree) -> Vec<Finding> {
    let mut findings = Vec::new();
    for (path, text) in tree.texts(&["rs", "py", "md", "toml"]) {
        for (index, line) in text.split('\n').enumerate() {
            if line.ends_with(char::is_whitespace) {
                let told = "there is white space at the end of the line; remove it.";
                findings.push(Finding::new(path, index + 1, told));
            }
            if line.trim_end().contains('\t') {
                findings.push(Finding::new(path, index + 1, "there is a tab in the line; use spaces."));
            }
        }
        if !text.is_empty() && !text.ends_with('\n') {
            let told = "the last line has no newline; add one.";
            findings.push(Finding::new(path, text.lines().count(), told));
        }
    }
    findings
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tidy::check_rule;

    #[test]
    fn white_space_is_found_where_it_does_not_belong() {
        let files = [
            ("a.rs", "a\n\tb\n"),
            ("b.py", "a \nb\r\n"),
            ("c.md", "a\n\nb"),
            ("d.toml", "a\t\n"),
            ("e.txt", "\ta "),
            ("empty.py", ""),
            ("good.rs", "a\n\n    b\n"),
        ];
        let expected = [
            "a.rs:2: there is a tab in the line; use spaces.",
            "b.py:1: there is white space at the end of the line; remove it.",
            "b.py:2: there is white space at the end of the line; remove it.",
            "c.md:3: the last line has no newline; add one.",
            "d.toml:1: there is white space at the end of the line; remove it.",
        ];
        check_rule(findings, &files, &expected);
    }
}
