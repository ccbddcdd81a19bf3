//! An ignored test says why: `#[ignore = "reason"]`, under `cfg_attr` too.

use super::{Finding, Tree};

pub(super) fn findings(tree: &Tree) -> Vec<Finding> {
    let mut findings = Vec::new();
    for (path, source) in tree.sources() {
        let text = tree.text(path).unwrap_or_default();
        for attribute in source.attributes().filter(|attribute| ignores(attribute.text)) {
            let empty =
                text.lines().nth(attribute.line - 1).is_some_and(|line| line.contains("ignore = \"\""));
            if !attribute.text.contains('=') || empty {
                let told = "an ignored test needs a reason: `#[ignore = \"reason\"]`.";
                findings.push(Finding::new(path, attribute.line, told));
            }
        }
    }
    findings
}

/// Whether an attribute is `ignore`, or a `cfg_attr` that adds it.
fn ignores(attribute: &str) -> bool {
    let is_ignore = |part: &str| part.split(['=', ')']).next().is_some_and(|name| name.trim() == "ignore");
    let attribute = attribute.trim();
    is_ignore(attribute) || (attribute.starts_with("cfg_attr") && attribute.rsplit(',').any(is_ignore))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tidy::check_rule;

    #[test]
    fn a_reason_is_asked_for() {
        let text =
            "#[ignore]\nfn a() {}\n#[cfg_attr(miri, ignore)]\nfn b() {}\n#[ignore = \"\"]\nfn c() {}\n";
        let told = "an ignored test needs a reason: `#[ignore = \"reason\"]`.";
        let expected: Vec<String> = [1, 3, 5].iter().map(|line| format!("a.rs:{line}: {told}")).collect();
        let expected: Vec<&str> = expected.iter().map(String::as_str).collect();
        check_rule(findings, &[("a.rs", text)], &expected);
    }

    #[test]
    fn a_reason_passes_and_so_does_what_is_not_a_test() {
        let text = "#[ignore = \"needs a terminal\"]\nfn a() {}\n\
                    #[cfg_attr(miri, ignore = \"uses epoll\")]\nfn b() {}\n\
                    // #[ignore]\n#[serde(ignore)]\nfn ignore() {}\n\
                    #[cfg_attr(test, derive(Debug))]\nstruct C;\n";
        check_rule(findings, &[("a.rs", text)], &[]);
    }
}
