//! `cargo xtask tidy`: the rules of the house that a program can check, as one test.
//!
//! Each rule is one file beside this one: what it asks, and why, stands in its module doc. A rule is a
//! function from the [`Tree`] of tracked files to its [`Finding`]s; it touches no disk, so its tests give it
//! a tree of a few lines and the exact findings that must come out.

mod absolute_paths;
mod arrows;
mod cfg_target;
mod ignored_tests;
mod left_overs;
mod length;
mod lib_files;
mod links;
mod names;
mod opening;
mod safety;
mod sleep;
mod source;
mod tree;
mod whitespace;

use std::fmt;

use anyhow::{Result, bail};

use crate::sh;
use tree::Tree;

/// A place where a rule is broken, and a sentence that tells what to do about it.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
struct Finding {
    path: String,
    line: usize,
    sentence: String,
}

impl Finding {
    fn new(path: &str, line: usize, sentence: impl Into<String>) -> Self {
        Self { path: path.to_owned(), line, sentence: sentence.into() }
    }
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}: {}", self.path, self.line, self.sentence)
    }
}

type Rule = fn(&Tree) -> Vec<Finding>;

const RULES: &[Rule] = &[
    absolute_paths::findings,
    arrows::findings,
    cfg_target::findings,
    ignored_tests::findings,
    left_overs::findings,
    length::findings,
    lib_files::findings,
    links::findings,
    names::findings,
    opening::findings,
    safety::findings,
    sleep::findings,
    whitespace::findings,
];

/// Checks the repository and prints what it finds, a line each.
pub(crate) fn run() -> Result<()> {
    let tree = Tree::of_repository(&sh::root())?;
    let findings = check(&tree);
    for finding in &findings {
        println!("{finding}");
    }
    match findings.len() {
        0 => {
            println!("tidy: {} files, nothing to say", tree.len());
            Ok(())
        }
        1 => bail!("tidy has 1 finding."),
        many => bail!("tidy has {many} findings."),
    }
}

fn check(tree: &Tree) -> Vec<Finding> {
    let mut findings: Vec<Finding> = RULES.iter().flat_map(|rule| rule(tree)).collect();
    findings.sort();
    findings
}

/// Runs `rule` on a tree of (path, text) and compares the findings as they would be printed.
#[cfg(test)]
fn check_rule(rule: Rule, files: &[(&str, &str)], expected: &[&str]) {
    let found: Vec<String> = rule(&Tree::of_texts(files)).iter().map(Finding::to_string).collect();
    assert_eq!(found, expected);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_rule_is_asked_and_findings_come_in_order() {
        let tree = Tree::of_texts(&[
            ("crates/ferry/src/b.rs", "//! B.\nfn b() { todo!() }\n"),
            ("crates/ferry/src/a.rs", "fn a() {} \n"),
        ]);
        let found: Vec<String> = check(&tree).iter().map(Finding::to_string).collect();
        assert_eq!(
            found,
            [
                "crates/ferry/src/a.rs:1: the file must open with `//!` and say what it is for.",
                "crates/ferry/src/a.rs:1: there is white space at the end of the line; remove it.",
                "crates/ferry/src/b.rs:2: `todo!` is left over; write what belongs there, or an error.",
            ]
        );
    }
}
