//! No test sleeps for real: time is virtual. Where a thread must really wait, the line or the line above
//! has a comment `tidy: sleep` followed by the reason.

use super::{Finding, Tree};
use crate::tidy::source::{Source, balanced};

const MARK: &str = "tidy: sleep";

/// Python's call; it is looked for in Rust files too, where tests hold Python programs as strings.
const IN_PYTHON: &str = concat!("time", ".sleep");
const IN_RUST: &str = "thread::sleep";

pub(super) fn findings(tree: &Tree) -> Vec<Finding> {
    let mut findings = Vec::new();
    for (path, text) in tree.texts(&["py"]) {
        if is_test_file(path) {
            report(path, text, |_, line| python_sleeps(line), &mut findings);
        }
    }
    for (path, source) in tree.sources() {
        let tested = tested_lines(path, source);
        let code: Vec<&str> = source.code.lines().collect();
        let comments: Vec<&str> = source.comments.lines().collect();
        let sleeps = |index: usize, line: &str| {
            let in_comment = comments.get(index).is_some_and(|comment| comment.contains(IN_PYTHON));
            tested.get(index).is_some_and(|tested| *tested)
                && (code.get(index).is_some_and(|code| code.contains(IN_RUST))
                    || (python_sleeps(line) && !in_comment))
        };
        report(path, tree.text(path).unwrap_or_default(), sleeps, &mut findings);
    }
    findings
}

fn report(path: &str, text: &str, sleeps: impl Fn(usize, &str) -> bool, findings: &mut Vec<Finding>) {
    let mut above = "";
    for (index, line) in text.lines().enumerate() {
        if sleeps(index, line) && !excused(line) && !excused(above) {
            let told =
                "a test must not sleep for real; use the virtual clock, or say why: `tidy: sleep reason`.";
            findings.push(Finding::new(path, index + 1, told));
        }
        above = line;
    }
}

/// Whether a line of Python sleeps outside of a comment.
fn python_sleeps(line: &str) -> bool {
    line.split('#').next().is_some_and(|code| code.contains(IN_PYTHON))
}

fn excused(line: &str) -> bool {
    line.split_once(MARK).is_some_and(|(_, reason)| reason.chars().any(char::is_alphanumeric))
}

fn is_test_file(path: &str) -> bool {
    let (folders, name) = path.rsplit_once('/').unwrap_or(("", path));
    let stem = name.split('.').next().unwrap_or(name);
    folders.split('/').any(|folder| folder == "tests")
        || matches!(stem, "tests" | "test" | "conftest")
        || stem.starts_with("test_")
        || stem.ends_with("_test")
        || stem.ends_with("_tests")
}

/// For each line, whether it is test code: all of a test file, and each item under `#[cfg(test)]`.
fn tested_lines(path: &str, source: &Source) -> Vec<bool> {
    let mut tested = vec![is_test_file(path); source.code.lines().count()];
    for attribute in source.attributes().filter(|attribute| is_cfg_test(attribute.text)) {
        let after = &source.code[attribute.end..];
        let Some(open) = after.find(['{', ';']).filter(|at| after[*at..].starts_with('{')) else { continue };
        let length = balanced(&after[open + 1..], '{', '}').unwrap_or(after.len() - open - 1);
        let last = source.line(attribute.end + open + 1 + length);
        for line in &mut tested[attribute.line - 1..last] {
            *line = true;
        }
    }
    tested
}

fn is_cfg_test(attribute: &str) -> bool {
    let words: Vec<&str> = attribute.split(|character: char| !character.is_alphanumeric()).collect();
    words.first() == Some(&"cfg") && words.contains(&"test") && !attribute.contains("not(test)")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tidy::check_rule;

    const TOLD: &str =
        "a test must not sleep for real; use the virtual clock, or say why: `tidy: sleep reason`.";

    fn check(path: &str, text: &str, lines: &[usize]) {
        let expected: Vec<String> = lines.iter().map(|line| format!("{path}:{line}: {TOLD}")).collect();
        let expected: Vec<&str> = expected.iter().map(String::as_str).collect();
        check_rule(findings, &[(path, text)], &expected);
    }

    #[test]
    fn a_unit_test_must_not_sleep_and_other_code_may() {
        let text = "fn a() { thread::sleep(d); }\n#[cfg(test)]\nmod tests {\n    fn b() {\n        \
                    std::thread::sleep(d);\n    }\n}\nfn c() { thread::sleep(d); }\n";
        check("crates/a/src/a.rs", text, &[5]);
        check("crates/a/src/a.rs", &text.replace("cfg(test)", "cfg(not(test))"), &[]);
        check("crates/a/src/a.rs", &text.replace("cfg(test)", "cfg(all(test, loom))"), &[5]);
        check("crates/a/src/a.rs", "#[cfg(test)]\nmod tests;\nfn c() { thread::sleep(d); }\n", &[]);
    }

    #[test]
    fn a_test_file_must_not_sleep_in_either_language() {
        check("crates/a/tests/a.rs", "thread::sleep(d);\n// thread::sleep(d);\n", &[1]);
        check("crates/a/src/tests.rs", "use std::thread::sleep;\n", &[1]);
        let python =
            ["import time", concat!("time", ".sleep(1)"), concat!("# time", ".sleep(1)"), ""].join("\n");
        check("python/tests/test_a.py", &python, &[2]);
        check("test_b.py", &python, &[2]);
        check("examples/b.py", &python, &[]);
        check("crates/a/tests/a.rs", &format!("run(\"{python}\");\n"), &[2]);
        check("python/tests/test_a.py", "await asyncio.sleep(1)\n", &[]);
    }

    #[test]
    fn a_reason_excuses_one_sleep() {
        check("tests/a.rs", "thread::sleep(d); // tidy: sleep a real thread must be seen parked\n", &[]);
        check("tests/a.rs", "// tidy: sleep the OS clock is what is tested\nthread::sleep(d);\n", &[]);
        check("tests/a.rs", "// tidy: sleep\nthread::sleep(d);\n", &[2]);
        check("tests/a.rs", "// tidy: sleep far above\n\nthread::sleep(d);\n", &[3]);
    }
}
