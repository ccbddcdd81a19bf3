//! In the runtime only a `platform/` folder may ask what it is built for; everywhere else the same code
//! runs on native, WASI and the browser.

use super::{Finding, Tree};
use crate::tidy::source::{Source, balanced, in_name};

const RUNTIME: &str = "crates/ferry/";

pub(super) fn findings(tree: &Tree) -> Vec<Finding> {
    let mut findings = Vec::new();
    for (path, source) in tree.sources() {
        if path.starts_with(RUNTIME) && !path.contains("/platform/") {
            for line in lines_with_target(source) {
                let told = "only a platform/ folder may ask for the target; put the difference there.";
                findings.push(Finding::new(path, line, told));
            }
        }
    }
    findings
}

/// Where a `cfg(..)`, `cfg!(..)` or `cfg_attr(..)` names a target.
fn lines_with_target(source: &Source) -> Vec<usize> {
    let mut lines = Vec::new();
    for word in ["cfg", "cfg_attr"] {
        for offset in source.words(word) {
            let after = source.code[offset + word.len()..].trim_start_matches('!').trim_start();
            let Some(inside) = after.strip_prefix('(') else { continue };
            if balanced(inside, '(', ')').is_some_and(|length| names_target(&inside[..length])) {
                lines.push(source.line(offset));
            }
        }
    }
    lines.sort_unstable();
    lines
}

fn names_target(predicate: &str) -> bool {
    predicate
        .split(|character| !in_name(character))
        .any(|word| word.starts_with("target_") || matches!(word, "unix" | "windows"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tidy::check_rule;

    #[test]
    fn a_target_is_asked_for_in_platform_only() {
        let text = "//! A.\n#[cfg(target_os = \"linux\")]\nmod a;\n#[cfg(all(test, not(unix)))]\nmod b;\n\
                    fn c() { if cfg!(target_family = \"wasm\") {} }\n\
                    #[cfg_attr(windows, allow(unused))]\nfn d() {}\n";
        let told = "only a platform/ folder may ask for the target; put the difference there.";
        let expected: Vec<String> =
            [2, 4, 6, 7].iter().map(|line| format!("crates/ferry/src/a.rs:{line}: {told}")).collect();
        let expected: Vec<&str> = expected.iter().map(String::as_str).collect();
        check_rule(findings, &[("crates/ferry/src/a.rs", text)], &expected);
        check_rule(findings, &[("crates/ferry/src/executor/platform/native.rs", text)], &[]);
        check_rule(findings, &[("crates/ferry-cli/src/a.rs", text)], &[]);
    }

    #[test]
    fn other_conditions_pass() {
        let text = "//! cfg(target_os) in a comment.\n#[cfg(test)]\nmod a;\n#[cfg(loom)]\nmod b;\n\
                    #[cfg(feature = \"target_x\")]\nfn c(target_os: u8) { cfg(1); target_os; }\n";
        check_rule(findings, &[("crates/ferry/src/a.rs", text)], &[]);
    }
}
