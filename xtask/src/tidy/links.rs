//! A relative link in a page of the root leads to a file or folder that is in the repository.

use super::{Finding, Tree};

pub(super) fn findings(tree: &Tree) -> Vec<Finding> {
    let mut findings = Vec::new();
    for (path, text) in tree.texts(&["md"]).filter(|(path, _)| !path.contains('/')) {
        let mut fenced = false;
        for (index, line) in text.lines().enumerate() {
            if line.trim_start().starts_with("```") {
                fenced = !fenced;
            }
            if fenced {
                continue;
            }
            for target in targets(&without_code(line)).iter().filter_map(|target| relative(target)) {
                if !tree.contains(target) {
                    let told = format!("the link leads to `{target}`, which is not in the repository.");
                    findings.push(Finding::new(path, index + 1, told));
                }
            }
        }
    }
    findings
}

/// The line with its `code` blanked: links are not links there.
fn without_code(line: &str) -> String {
    let parts = line.split('`').enumerate();
    parts.map(|(index, part)| if index % 2 == 0 { part } else { "" }).collect::<Vec<_>>().join(" ")
}

/// The targets of `[text](target)` and of `[name]: target`.
fn targets(line: &str) -> Vec<&str> {
    let mut targets: Vec<&str> =
        line.split("](").skip(1).filter_map(|after| after.split([')', ' ']).next()).collect();
    if line.starts_with('[') {
        targets.extend(line.split_once("]: ").and_then(|(_, after)| after.split_whitespace().next()));
    }
    targets
}

/// The path of a relative link, without its anchor.
fn relative(target: &str) -> Option<&str> {
    let target = target.trim_start_matches('<').trim_end_matches('>');
    let path = target.split('#').next().unwrap_or(target).trim_start_matches("./").trim_end_matches('/');
    (!path.is_empty() && !target.contains(':')).then_some(path)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tidy::check_rule;

    #[test]
    fn a_link_to_nothing_is_found() {
        let page = "[a](crates/a.rs) [b](crates/b.rs)\n\
                    [c](./gone.md#part \"title\")\n\n[d]: missing/\n![e](<e.png>)\n";
        let expected = [
            "README.md:1: the link leads to `crates/b.rs`, which is not in the repository.",
            "README.md:2: the link leads to `gone.md`, which is not in the repository.",
            "README.md:4: the link leads to `missing`, which is not in the repository.",
            "README.md:5: the link leads to `e.png`, which is not in the repository.",
        ];
        check_rule(findings, &[("README.md", page), ("crates/a.rs", "")], &expected);
    }

    #[test]
    fn good_links_and_what_is_not_a_link_pass() {
        let page = "[a](crates) [b](./crates/) [c](crates/a.rs#L1) [d](#part) [e](https://example.com/x)\n\
                    `[f](gone)`\n```\n[g](gone)\n```\n[h]: mailto:a@example.com\n";
        check_rule(findings, &[("README.md", page), ("crates/a.rs", ""), ("docs/x.md", "[i](gone)\n")], &[]);
    }
}
