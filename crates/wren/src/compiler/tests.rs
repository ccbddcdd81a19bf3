//! What the compiler makes of sources, and what it says of those that it refuses.

use crate::{Limits, compile, compile_within};

fn check_error(source: &str, expected: &[&str]) {
    let errors = compile("main", source).expect_err(source);
    let errors: Vec<_> = errors.iter().map(ToString::to_string).collect();
    assert_eq!(errors, expected, "{source}");
}

fn check_fine(source: &str) {
    if let Err(errors) = compile("main", source) {
        panic!("{source}\n{errors:#?}");
    }
}

/// Checks the instructions, without their places and lines.
fn check_code(source: &str, expected: &[&str]) {
    let module = compile("main", source).unwrap_or_else(|errors| panic!("{source}\n{errors:#?}"));
    let text = module.to_string();
    let found: Vec<_> = text
        .lines()
        .map(|line| match line.strip_prefix("  ") {
            Some(line) => line.split_whitespace().skip(2).collect::<Vec<_>>().join(" "),
            None => line.to_owned(),
        })
        .collect();
    assert_eq!(found, expected, "{source}\n{text}");
}

#[test]
fn expressions_by_precedence() {
    check_code(
        "var a\n1 + 2 * -a.b",
        &[
            "(script) (0 arguments, 4 slots):",
            "Null",
            "StoreModule a",
            "Pop",
            "Constant 1",
            "Constant 2",
            "LoadModule a",
            "Call b",
            "Call -",
            "Call *(_)",
            "Call +(_)",
            "Pop",
            "EndModule",
            "Return",
        ],
    );
}

#[test]
fn functions_know_the_variables_around_them() {
    check_code(
        "{\n  var a = 1\n  var f = Fn.new {|b|\n    return Fn.new { a + b }\n  }\n}",
        &[
            "(script) (0 arguments, 4 slots):",
            "Constant 1",
            "LoadModule Fn",
            "Closure new(_) block argument local 1",
            "Call new(_)",
            "Pop",
            "CloseUpvalue",
            "EndModule",
            "Return",
            "new(_) block argument (1 arguments, 4 slots):",
            "LoadModule Fn",
            "Closure new(_) block argument upvalue 0 local 1",
            "Call new(_)",
            "Return",
            "Null",
            "Return",
            "new(_) block argument (0 arguments, 3 slots):",
            "LoadUpvalue 0",
            "LoadUpvalue 1",
            "Call +(_)",
            "Return",
        ],
    );
}

#[test]
fn classes_are_made_with_their_methods() {
    check_code(
        "class A is B {\n  construct new(x) {\n    _x = x\n  }\n  x { Fn.new { _x } }\n  static n=(v) { __n = super.n(v) }\n}\nclass B {}",
        &[
            "(script) (0 arguments, 4 slots):",
            "Constant \"A\"",
            "LoadModule B",
            "Class 1",
            "StoreModule A",
            "Pop",
            "Closure init new(_)",
            "LoadModule A",
            "Method init new(_)",
            "Closure new(_)",
            "LoadModule A",
            "StaticMethod new(_)",
            "Closure x",
            "LoadModule A",
            "Method x",
            "Null",
            "Closure n=(_) local 1",
            "LoadModule A",
            "StaticMethod n=(_)",
            "CloseUpvalue",
            "Constant \"B\"",
            "LoadModule Object",
            "Class 0",
            "StoreModule B",
            "Pop",
            "EndModule",
            "Return",
            "init new(_) (1 arguments, 3 slots):",
            "LoadLocal 1",
            "StoreThisField 0",
            "Pop",
            "LoadLocal 0",
            "Return",
            "new(_) (1 arguments, 2 slots):",
            "Construct",
            "Call init new(_)",
            "Return",
            "x (0 arguments, 3 slots):",
            "LoadModule Fn",
            "Closure new(_) block argument local 0",
            "Call new(_)",
            "Return",
            "new(_) block argument (0 arguments, 2 slots):",
            "LoadUpvalue 0",
            "LoadField 0",
            "Return",
            "n=(_) (1 arguments, 4 slots):",
            "LoadLocal 0",
            "LoadLocal 1",
            "SuperCall n(_)",
            "StoreUpvalue 0",
            "Return",
        ],
    );
}

#[test]
fn loops_ask_for_iterators() {
    check_code(
        "for (i in 1) {\n  if (i) break\n  var a = i\n  if (a) continue\n}",
        &[
            "(script) (0 arguments, 6 slots):",
            "Constant 1",
            "Null",
            "LoadLocal 1",
            "LoadLocal 2",
            "Call iterate(_)",
            "StoreLocal 2",
            "JumpIf to 23",
            "LoadLocal 1",
            "LoadLocal 2",
            "Call iteratorValue(_)",
            "LoadLocal 3",
            "JumpIf to 14",
            "Pop",
            "Jump to 23",
            "LoadLocal 3",
            "LoadLocal 4",
            "JumpIf to 20",
            "Pop",
            "Pop",
            "Loop to 2",
            "Pop",
            "Pop",
            "Loop to 2",
            "Pop",
            "Pop",
            "EndModule",
            "Return",
        ],
    );
}

#[test]
fn sources_of_every_part_of_the_language() {
    for source in [
        "",
        "\n\n",
        "// only a comment",
        "#!/usr/bin/env wren\nSystem.print(1)",
        "var a = 1\nvar b = a\na = b = 2",
        "var f = Fn.new {|a, b| a + b }\nf.call(1, 2)",
        "var f = Fn.new {\n  return 1\n}",
        "if (true) System.print(1) else System.print(2)",
        "if (true) {\n  System.print(1)\n} else if (false) {\n} else {\n  var a = 1\n}",
        "while (true) {\n  if (1) break\n  if (2) continue\n  var a = 1\n}",
        "for (i in 1..10) System.print(i)",
        "for (i in 1...10) {\n  for (j in [1, 2]) {\n    if (j == i) continue\n    break\n  }\n}",
        "var list = [\n  1,\n  2,\n]\nvar map = {\n  \"a\": 1,\n  -2: 3,\n}",
        "System.print(\"a %(1 + 2) b %(\"c %(3)\")\")",
        "var a = true && false || null\nvar b = a ? 1 : a ? 2 : 3",
        "var a = 1\n  .abs\n  .toString",
        "var a = [1].map {|x| x * 2 }\n\n  // a comment\n  .where {|x| x > 1 }\n  .toList",
        "import \"x\"\nimport \"y\" for A, B as C",
        "class A {}\nclass B is A {\n}",
        "class A {\n  construct new() {}\n  construct new(a, b) {\n    _a = a\n    return\n  }\n  a { _a }\n  a=(value) { _a = value }\n  foo(x) { x + bar }\n  bar { 1 }\n  static make() { A.new() }\n}",
        "class A {\n  [i] { i }\n  [i]=(v) { v }\n  [i, j] { i }\n  +(other) { 1 }\n  - { 2 }\n  -(other) { 3 }\n  ! { 4 }\n  ~ { 5 }\n  ==(other) { true }\n  is(other) { true }\n  ..(other) { 1 }\n}",
        "class A {\n  static count { __count }\n  static inc() {\n    if (__count == null) __count = 0\n    __count = __count + 1\n  }\n}",
        "class A {\n  foo(x) { x }\n}\nclass B is A {\n  foo(x) { super(x) + super.foo(1) }\n  construct new() {\n    super()\n    Fn.new { this.foo(_x) }\n  }\n}",
        "foreign class File {\n  construct open(path)\n  {\n  }\n  foreign read()\n  foreign static exists(path)\n}"
            .replace("(path)\n  {\n  }", "(path) {}")
            .as_str(),
        "#key\n#!key = 1\n#group(a = 1, b)\n#!group(c = \"x\", d = name)\nclass A {\n  #!method = true\n  foo() {}\n}",
        "{\n  class A {}\n  var a = A\n  Fn.new { a }\n}",
        "var a\n{\n  var a = 1\n  {\n    var a = a\n  }\n}",
        "class A {\n  foo { Later }\n}\nclass Later {}",
        "Fn.new { Fn.new { Fn.new { 1 } } }",
        "foo.bar(1,\n  2)\nvar foo".replace("foo.bar", "Num.bar").replace("var foo", "1").as_str(),
        "System\n  .print(1)",
    ] {
        check_fine(source);
    }
}

#[test]
fn what_is_refused_is_told_in_wrens_words() {
    check_error("var", &["[main line 1] Error at end of file: Expect variable name."]);
    check_error("1 +", &["[main line 1] Error at end of file: Expected expression."]);
    check_error("(1", &["[main line 1] Error at end of file: Expect ')' after expression."]);
    check_error("a", &["[main line 1] Error at 'a': Variable is used but not defined."]);
    check_error("\n\nunknown.foo", &["[main line 3] Error at 'unknown': Variable is used but not defined."]);
    check_error("var a\nvar a", &["[main line 2] Error at 'a': Module variable is already defined."]);
    check_error(
        "{\n  var a\n  var a\n}",
        &["[main line 3] Error at 'a': Variable is already declared in this scope."],
    );
    check_error("break", &["[main line 1] Error at 'break': Cannot use 'break' outside of a loop."]);
    check_error("continue", &["[main line 1] Error at 'continue': Cannot use 'continue' outside of a loop."]);
    check_error("this", &["[main line 1] Error at 'this': Cannot use 'this' outside of a method."]);
    check_error(
        "_a",
        &["[main line 1] Error at '_a': Cannot reference a field outside of a class definition."],
    );
    check_error(
        "__a",
        &["[main line 1] Error at '__a': Cannot use a static field outside of a class definition."],
    );
    check_error("1 2", &["[main line 1] Error at '2': Expect end of file."]);
    check_error(
        "if true",
        &[
            "[main line 1] Error at 'true': Expect '(' after 'if'.",
            "[main line 1] Error at end of file: Expected expression.",
            "[main line 1] Error at end of file: Expect ')' after if condition.",
            "[main line 1] Error at end of file: Expected expression.",
        ],
    );
    check_error(
        "class A {\n  foo {}\n  foo {}\n}",
        &["[main line 3] Error at 'foo': Class A already defines a method 'foo'."],
    );
    check_error(
        "class A {\n  construct new { }\n}",
        &["[main line 2] Error at 'new': A constructor cannot be a getter."],
    );
    check_error(
        "class A {\n  construct new() {\n    return 1\n  }\n}",
        &["[main line 3] Error at 'return': A constructor cannot return a value."],
    );
    check_error(
        "class A {\n  static foo { _a }\n}",
        &["[main line 2] Error at '_a': Cannot use an instance field in a static method."],
    );
    check_error(
        "foreign class A {\n  foo { _a }\n}",
        &["[main line 2] Error at '_a': Cannot define fields in a foreign class."],
    );
    check_error("@", &["[main line 1] Error: Invalid character '@'."]);
    check_error("\"a", &["[main line 1] Error: Unterminated string."]);
    check_error(
        "Fn.new {|a, b, c, d, e, f, g, h, i, j, k, l, m, n, o, p, q| 1 }",
        &["[main line 1] Error at ',': Methods cannot have more than 16 parameters."],
    );
}

#[test]
fn a_source_may_not_be_too_deep() {
    for (open, close) in [
        ("(", ")"),
        ("[", "]"),
        ("-", ""),
        ("{\n", "\n}"),
        ("Fn.new { ", " }"),
        ("if (1) ", ""),
        ("[{1: ", "}]"),
    ] {
        let depth = 200_000;
        let source = format!("{}1{}", open.repeat(depth), close.repeat(depth));
        let errors = compile("main", &source).expect_err(open);
        assert_eq!(
            errors.last().unwrap().message,
            "Error: The source is nested more than 256 levels deep.",
            "{open}"
        );
    }
    let deep = |depth: usize| format!("{}1{}", "(".repeat(depth), ")".repeat(depth));
    assert!(compile_within("main", &deep(20), &[], Limits { depth: 30, ..Limits::default() }).is_ok());
    assert!(compile_within("main", &deep(40), &[], Limits { depth: 30, ..Limits::default() }).is_err());
}

#[test]
fn errors_have_a_bound() {
    let errors = compile("main", &"1 2\n@\n".repeat(1000)).unwrap_err();
    assert!(errors.len() <= 100, "{}", errors.len());
}

/// Words in any order are compiled or refused, and never a panic.
#[test]
#[cfg_attr(miri, ignore = "thousands of sources, without unsafe code")]
fn soups_of_words() {
    const WORDS: &[&str] = &[
        "class",
        "A",
        "{",
        "}",
        "(",
        ")",
        "[",
        "]",
        "|",
        "a",
        "b",
        ".",
        ",",
        "=",
        "==",
        "+",
        "-",
        "!",
        "\n",
        "\n",
        "\n",
        "var",
        "if",
        "else",
        "while",
        "for",
        "in",
        "is",
        "construct",
        "static",
        "foreign",
        "super",
        "this",
        "return",
        "break",
        "continue",
        "import",
        "\"text\"",
        "\"a %(",
        ")\"",
        "1",
        "_f",
        "__s",
        "#",
        "#!",
        "?",
        ":",
        "&&",
        "||",
        "..",
        "true",
        "null",
        "Fn.new",
        "as",
        "System.print",
        "//",
        "/*",
        "*/",
    ];
    let mut seed = 1_u64;
    for _ in 0..20_000 {
        let mut source = String::new();
        for _ in 0..40 {
            seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            source.push_str(WORDS[(seed >> 33) as usize % WORDS.len()]);
            source.push(' ');
        }
        drop(compile("main", &source));
    }
}

#[test]
fn the_last_error_may_be_found_looking_ahead() {
    let limits = Limits { errors: 1, ..Limits::default() };
    let errors = compile_within("main", "a\n\n\n@ @", &["a"], limits).unwrap_err();
    assert_eq!(errors.len(), 1);
    assert_eq!(errors[0].line, 4);
}
