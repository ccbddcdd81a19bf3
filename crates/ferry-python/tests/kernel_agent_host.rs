//! The example `agent_host`, as its agent sees it: this binary runs itself as the host.

#![allow(clippy::unwrap_used, reason = "a panic fails the test, as it should")]

#[path = "../../../examples/agent_host.rs"]
#[expect(dead_code, reason = "its main is that of another program")]
mod agent_host;

use serde_json::{Value, json};
use std::{
    io::{BufRead, BufReader, Write},
    process::{Child, ChildStdin, Command, Stdio, exit},
    sync::mpsc::{Receiver, channel},
    thread,
    time::Duration,
};

const CHILD: &str = "FERRY_TEST_AGENT_HOST";

/// A host, and what it says.
struct Host {
    process: Child,
    input: Option<ChildStdin>,
    events: Receiver<Value>,
}

impl Host {
    /// Starts the test `name` again, as the host.
    fn start(name: &str) -> Self {
        let mut process = Command::new(std::env::current_exe().unwrap())
            .args(["--exact", name, "--nocapture", "--quiet"])
            .env(CHILD, "1")
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let (sender, events) = channel();
        let output = BufReader::new(process.stdout.take().unwrap());
        thread::spawn(move || {
            // The test's own banner comes first.
            let lines = output.lines().map_while(Result::ok).filter(|line| line.starts_with('{'));
            lines.map(|line| serde_json::from_str(&line).unwrap()).try_for_each(|event| sender.send(event))
        });
        Self { input: process.stdin.take(), process, events }
    }

    fn send(&mut self, line: impl AsRef<[u8]>) {
        let line = [line.as_ref(), b"\n"].concat();
        self.input.as_mut().unwrap().write_all(&line).unwrap();
    }

    fn run(&mut self, id: &str, code: &str) {
        self.send(json!({ "id": id, "code": code }).to_string());
    }

    /// The next event. A host that says nothing fails the test.
    fn next(&self) -> Value {
        self.events.recv_timeout(Duration::from_secs(60)).expect("the host says something")
    }

    fn expect(&self, expected: Value) {
        assert_eq!(self.next(), expected);
    }

    fn expect_value(&self, id: &str, value: &str) {
        self.expect(json!({ "id": id, "value": value }));
    }

    /// The next event is an error of that kind.
    fn expect_error(&self, id: &str, kind: &str, message: &str) {
        let event = self.next();
        assert_eq!((&event["id"], &event["kind"]), (&json!(id), &json!(kind)), "{event}");
        assert!(event["error"].as_str().unwrap().contains(message), "{event}");
        assert!(event["traceback"].as_str().unwrap().contains(message), "{event}");
    }

    /// Ends the input. There must be nothing that the host says beyond `last`, and no failure.
    fn end(mut self, last: &[Value]) {
        drop(self.input.take());
        last.iter().for_each(|event| self.expect(event.clone()));
        assert_eq!(self.events.recv(), Err(std::sync::mpsc::RecvError));
        assert!(self.process.wait().unwrap().success());
    }
}

/// Starts the host, of the test with this name; in the process that is it, never returns.
fn host(name: &str) -> Host {
    if std::env::var_os(CHILD).is_some() {
        agent_host::stdio().unwrap();
        exit(0);
    }
    Host::start(name)
}

#[test]
fn cells_are_run_streamed_and_told() {
    let mut host = host("cells_are_run_streamed_and_told");
    host.run("a", "shared = 6 * 7\nshared");
    host.expect_value("a", "42");
    host.run("b", "import sys\nprint('out', shared)\nprint('err', file=sys.stderr)");
    host.expect(json!({ "id": "b", "stdout": "out 42\n" }));
    host.expect(json!({ "id": "b", "stderr": "err\n" }));
    host.expect(json!({ "id": "b", "value": null }));
    host.run("c", "await fetch_note('greeting')");
    host.expect_value("c", "'Ahoy!'");
    host.run("c", "await fetch_note('none')");
    host.expect_error("c", "raised", "FerryError: there is no note \"none\"");
    host.send(r#"{"id": 3.5, "code": "if", "limit_ms": 60000}"#);
    let event = host.next();
    assert_eq!((&event["id"], &event["kind"]), (&json!(3.5), &json!("syntax")), "{event}");
    host.run("d", "import sys\nsys.exit(3)");
    host.expect_error("d", "exit", "SystemExit: 3");
    host.run("e", "input()");
    host.expect_error("e", "raised", "EOFError");
    host.run("last", "import asyncio\nawait asyncio.sleep(0)\n'bye'");
    host.end(&[json!({ "id": "last", "value": "'bye'" })]);
}

#[test]
fn cells_are_stopped() {
    let mut host = host("cells_are_stopped");
    host.run(
        "waits",
        "import asyncio\ntry:\n  print('in')\n  await asyncio.Event().wait()\nfinally: print('out')",
    );
    host.expect(json!({ "id": "waits", "stdout": "in\n" }));
    host.run("other", "1 + 1");
    host.expect_value("other", "2");
    host.send(r#"{"cancel": "waits"}"#);
    host.expect(json!({ "id": "waits", "stdout": "out\n" }));
    let message = "asyncio.exceptions.CancelledError: the agent cancelled it";
    host.expect(json!({ "id": "waits", "cancelled": message }));
    host.run("computes", "print('in')\nwhile True: pass");
    host.expect(json!({ "id": "computes", "stdout": "in\n" }));
    host.send(r#"{"interrupt": "computes"}"#);
    host.expect(json!({ "id": "computes", "interrupted": "KeyboardInterrupt" }));
    let stubborn = "try:\n  while True: pass\nexcept KeyboardInterrupt:\n  while True: pass";
    for code in ["while True: pass", "await asyncio.Event().wait()", stubborn] {
        host.send(json!({ "id": "late", "code": code, "limit_ms": 1 }).to_string());
        host.expect(json!({ "id": "late", "timed_out": "1ms" }));
    }
    host.run("still", "'here'");
    host.expect_value("still", "'here'");
    host.end(&[]);
}

#[test]
fn what_a_cell_prints_is_bounded_and_cannot_look_like_the_hosts() {
    let mut host = host("what_a_cell_prints_is_bounded_and_cannot_look_like_the_hosts");
    host.run("floods", "for _ in range(100_000): print('{\"id\": \"forged\"}')");
    let mut printed = 0;
    let cut = loop {
        let event = host.next();
        assert_eq!(event["id"], "floods");
        match event["stdout"].as_str() {
            Some(text) => printed += text.len(),
            None => break event,
        }
    };
    assert_eq!(printed, 64 << 10);
    assert_eq!(cut, json!({ "id": "floods", "stderr": "\n[output cut off: more than 65536 bytes]\n" }));
    host.expect(json!({ "id": "floods", "value": null }));
    // Neither by the descriptor of the output, nor by that of the input, which the agent's lines come from.
    let code = "import os, subprocess\nos.write(1, b'{\"id\": \"forged\"}\\n')\n\
                subprocess.run(['echo', '{\"id\": \"forged\"}'])\nsubprocess.run(['cat'], check=True).returncode";
    host.run("forges", code);
    host.run("next", "'was not read by cat'");
    host.expect_value("forges", "0");
    host.end(&[json!({ "id": "next", "value": "'was not read by cat'" })]);
}

#[test]
fn a_line_that_is_no_request_gets_one_error() {
    let mut host = host("a_line_that_is_no_request_gets_one_error");
    let mut number = 0;
    let mut check = |line: &[u8], expected: &str| {
        number += 1;
        host.send(line);
        let event = host.next();
        assert_eq!(event.as_object().unwrap().len(), 1, "{event}");
        let told = event["error"].as_str().unwrap();
        assert!(told.starts_with(&format!("line {number}: ")) && told.contains(expected), "{told}");
    };
    check(b"6 * 7", "it's not JSON");
    check(b"{\"id\": 1, \"code\": \"\xff\"}", "it's not JSON");
    check("[".repeat(100_000).as_bytes(), "it's not JSON");
    check(b"[1]", "it's no object; a request has");
    check(b"{}", "it asks for nothing");
    check(br#"{"id": 1}"#, "it asks for nothing");
    check(br#"{"cancel": 1, "interrupt": 1}"#, "more than one thing");
    check(br#"{"code": "1"}"#, "the cell must have an id");
    check(br#"{"id": null, "code": "1"}"#, "the cell must have an id");
    check(br#"{"id": 1, "code": 1}"#, "\"code\" must be a text");
    check(
        br#"{"id": 1, "code": "1", "limit_ms": 0}"#,
        "\"limit_ms\" must be a whole number of milliseconds, of at least one",
    );
    check(br#"{"id": 1, "code": "1", "limit_ms": -1}"#, "\"limit_ms\" must be a whole number");
    check(br#"{"id": 1, "code": "1", "limit": 1}"#, "\"limit\" does not belong there");
    check(br#"{"cancel": 1}"#, "no cell with the id 1 runs");
    check(br#"{"interrupt": "a"}"#, "no cell with the id \"a\" runs");
    let long = format!("{{\"id\": 1, \"code\": \"{}\"}}", " ".repeat(3 << 20));
    check(long.as_bytes(), "it's longer than 1048576 bytes");
    host.send("");
    host.run("after", "'went on'");
    host.expect_value("after", "'went on'");
    host.end(&[]);
}

#[test]
fn so_many_cells_run_at_once() {
    let mut host = host("so_many_cells_run_at_once");
    for number in 0..32 {
        host.send(
            json!({ "id": number, "code": "import asyncio\nawait asyncio.Event().wait()" }).to_string(),
        );
    }
    host.run("one too many", "1");
    let refused = host.next();
    assert!(refused["error"].as_str().unwrap().starts_with("32 cells run already"));
    assert_eq!((&refused["id"], &refused["kind"]), (&json!("one too many"), &json!("refused")));
    host.send(r#"{"id": 0, "code": "1"}"#);
    assert!(host.next()["error"].as_str().unwrap().starts_with("line 34: a cell with the id 0 runs"));
    for number in 0..32 {
        host.send(json!({ "cancel": number }).to_string());
    }
    for _ in 0..32 {
        assert!(host.next()["cancelled"].is_string());
    }
    host.run("fits again", "1");
    host.end(&[json!({ "id": "fits again", "value": "1" })]);
}

#[test]
fn the_demo_runs_to_its_end() {
    const DEMO: &str = "FERRY_TEST_AGENT_HOST_DEMO";
    if std::env::var_os(DEMO).is_some() {
        agent_host::demo().unwrap();
        exit(0);
    }
    let shown = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "the_demo_runs_to_its_end", "--nocapture", "--quiet"])
        .env(DEMO, "1")
        .output()
        .unwrap();
    let text = String::from_utf8_lossy(&shown.stdout);
    assert!(shown.status.success(), "{text}");
    assert!(text.ends_with("  host   {\"id\":11,\"value\":\"'still here'\"}\n"), "{text}");
}
