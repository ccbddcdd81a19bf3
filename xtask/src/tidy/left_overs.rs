//! `todo!`, `unimplemented!` and `dbg!` are for the desk, not for the repository.

use super::{Finding, Tree};

const MACROS: [&str; 3] = ["todo", "unimplemented", "dbg"];

pub(super) fn findings(tree: &Tree) -> Vec<Finding> {
    let mut findings = Vec::new();
    for (path, source) in tree.sources() {
        for name in MACROS {
            for offset in source.words(name) {
                if source.code[offset + name.len()..].starts_with('!') {
                    let told = format!("`{name}!` is left over; write what belongs there, or an error.");
                    findings.push(Finding::new(path, source.line(offset), told));
                }
            }
        }
    }
    findings
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tidy::check_rule;

    #[test]
    fn each_macro_is_found_in_code_only() {
        let text = "fn a() { todo!() }\nfn b() { std::unimplemented!(\"b\") }\nfn c() { dbg!(1); }\n\
                    // todo!()\nfn d() { \"todo!()\"; let todo = 1; e(todo); not_dbg!(1) }\n";
        let expected = [
            "a.rs:1: `todo!` is left over; write what belongs there, or an error.",
            "a.rs:2: `unimplemented!` is left over; write what belongs there, or an error.",
            "a.rs:3: `dbg!` is left over; write what belongs there, or an error.",
        ];
        check_rule(findings, &[("a.rs", text)], &expected);
    }
}
