//! Each `unsafe` block, function and impl says why it is sound: a `SAFETY` comment, or a `# Safety` section
//! of the docs, within the four lines above it or in the comment which ends there.

use super::{Finding, Tree};
use crate::tidy::source::{Source, in_name};

const LINES_ABOVE: usize = 4;

pub(super) fn findings(tree: &Tree) -> Vec<Finding> {
    let mut findings = Vec::new();
    for (path, source) in tree.sources() {
        let comments: Vec<&str> = source.comments.lines().collect();
        let code: Vec<&str> = source.code.lines().collect();
        for offset in source.words("unsafe").filter(|offset| claims_soundness(source, *offset)) {
            let line = source.line(offset);
            if !explained(&code, &comments, line - 1) {
                let told =
                    "this `unsafe` needs a SAFETY comment above it that names the invariant it leans on.";
                findings.push(Finding::new(path, line, told));
            }
        }
    }
    findings
}

/// Whether the `unsafe` at `offset` opens a block, a function or an impl; not an attribute, and not the
/// type of a function pointer, which promise nothing.
fn claims_soundness(source: &Source, offset: usize) -> bool {
    let mut after = source.code[offset + "unsafe".len()..].trim_start();
    if let Some(external) = after.strip_prefix("extern") {
        after = external.trim_start();
    }
    if let Some(function) = after.strip_prefix("fn") {
        return function.starts_with(char::is_whitespace);
    }
    let implements = |rest: &str| !rest.chars().next().is_some_and(in_name);
    after.starts_with('{') || after.strip_prefix("impl").is_some_and(implements)
}

/// Whether a comment on `line` (from 0), on the four lines above, or in the run of comments and attributes
/// that ends there, speaks of safety.
fn explained(code: &[&str], comments: &[&str], line: usize) -> bool {
    let speaks = |index: usize| {
        comments.get(index).is_some_and(|text| text.contains("SAFETY") || text.contains("# Safety"))
    };
    let is_comment = |index: usize| {
        let code = code.get(index).map_or("", |code| code.trim());
        let commented = comments.get(index).is_some_and(|text| !text.trim().is_empty());
        (code.is_empty() && commented) || code.starts_with("#[")
    };
    let near = line.saturating_sub(LINES_ABOVE);
    (near..=line).any(speaks)
        || (0..near).rev().take_while(|index| (*index..line).all(is_comment)).any(speaks)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tidy::check_rule;

    fn check(text: &str, expected: &[usize]) {
        let told = "this `unsafe` needs a SAFETY comment above it that names the invariant it leans on.";
        let expected: Vec<String> = expected.iter().map(|line| format!("a.rs:{line}: {told}")).collect();
        let expected: Vec<&str> = expected.iter().map(String::as_str).collect();
        check_rule(findings, &[("a.rs", text)], &expected);
    }

    #[test]
    fn unexplained_unsafe_is_found() {
        check("fn a() {\n    unsafe { b() }\n}\n", &[2]);
        check("unsafe impl Send for A {}\nunsafe impl<T> Sync for B<T> {}\n", &[1, 2]);
        check("pub unsafe fn a() {}\n", &[1]);
        check("unsafe extern \"C\" fn a() {}\nunsafe extern \"C\" {}\n", &[1, 2]);
        check("// SAFETY: too far.\n1;\n2;\n3;\n4;\nunsafe { b() };\n", &[6]);
        check("let why = \"SAFETY\"; unsafe { b() };\n", &[1]);
    }

    #[test]
    fn explained_unsafe_passes() {
        check("// SAFETY: a is alive.\nunsafe { b() };\n", &[]);
        check("// SAFETY: a is alive.\n1;\n2;\n3;\nunsafe { b() };\n", &[]);
        check("/// # Safety\n///\n/// 1\n/// 2\n/// 3\n/// 4\n#[inline]\npub unsafe fn a() {}\n", &[]);
        check("unsafe impl Send for A {} // SAFETY: no pointers.\n", &[]);
    }

    #[test]
    fn what_promises_nothing_passes() {
        check("#[unsafe(no_mangle)]\nfn a(b: unsafe fn(u8), c: unsafe extern \"C\" fn()) {}\n", &[]);
        check("// unsafe { }\n#![forbid(unsafe_code)]\nlet a = \"unsafe {\";\n", &[]);
    }
}
