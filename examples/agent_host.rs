//! A host for an agent that works by Python code: it runs the cells that the agent sends, streams what they print,
//! and stops those that take too long. `cargo run -p asyncferry-python --example agent_host` shows a conversation;
//! with `-- --stdio` it holds one with you, or with your agent: one JSON object a line, in and out.
//!
//! | the agent says | |
//! |---|---|
//! | `{"id": 1, "code": "6 * 7"}` | run this; `"limit_ms"` may say for how long, instead of 10 seconds |
//! | `{"cancel": 1}` | have it clean up and end, where it next awaits |
//! | `{"interrupt": 1}` | the same at once, also if it never awaits: a KeyboardInterrupt |
//!
//! | the host says, with the `"id"` | |
//! |---|---|
//! | `"stdout"` or `"stderr"` | what the cell printed since, as it comes; 64 KiB of it in all |
//! | `"value"` | it ended well; the value of its last line, or null |
//! | `"error"`, `"kind"`, `"traceback"` | it failed, or, of the kind `"refused"`, 32 others run already |
//! | `"cancelled"`, `"interrupted"` or `"timed_out"` | it was stopped: why, in which way, or after how long |
//!
//! An `"error"` without an id is about a line that was no request, or that takes the id of a cell which runs. At the end of its input the host waits for the
//! cells that still run. One that resists all attempts to stop it holds up the others: the host says so, and ends
//! with exit code 1, for the agent to start another.

use asyncferry::{AsyncRuntime, sleep, spawn_local, timeout};
use asyncferry_python::{
    Job, future_to_awaitable,
    kernel::{Cell, CellControl, CellError, CellErrorKind, CellOutcome, Kernel, OutputStream, Stream},
};
use pyo3::prelude::*;
use serde_json::{Map, Value, json};
use std::{
    cell::RefCell,
    collections::HashMap,
    error::Error,
    fs::File,
    io::{self, BufRead, BufReader, Read, Write},
    os::fd::AsFd,
    pin::pin,
    process::{ExitCode, exit},
    rc::Rc,
    thread,
    time::Duration,
};
use tokio::sync::mpsc::{Receiver, Sender, channel, unbounded_channel};

/// In bytes: what one cell may print, and how long one line of the agent's may be.
const OUTPUT_LIMIT: usize = 64 << 10;
const LINE_LIMIT: usize = 1 << 20;
/// How many cells may run at once.
const CELLS_LIMIT: usize = 32;
/// How long a cell may run unless its request says otherwise, and how long it may then take to clean up before
/// it's interrupted, and before it's interrupted again.
const TIME_LIMIT: Duration = Duration::from_secs(10);
const GRACE: Duration = Duration::from_millis(100);
/// How often that is tried.
const ATTEMPTS: usize = 50;

const USAGE: &str = "usage: agent_host [--stdio]   without it, a conversation is shown";

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let ended = match arguments.iter().map(String::as_str).collect::<Vec<_>>()[..] {
        [] => demo(),
        ["--stdio"] => stdio(),
        _ => Err(USAGE.into()),
    };
    ended.map_or_else(
        |error| {
            eprintln!("agent_host: {error}");
            ExitCode::FAILURE
        },
        |()| ExitCode::SUCCESS,
    )
}

/// Serves the agent at the other end of standard input and output.
pub(crate) fn stdio() -> Result<(), Box<dyn Error>> {
    let (input, mut output) = own_stdio()?;
    let host = Host::start(move |event| {
        // With the agent goes everybody who could want anything.
        writeln!(output, "{event}").unwrap_or_else(|_| exit(1));
    })?;
    let (sender, lines) = channel(16);
    thread::spawn(move || read_lines(BufReader::new(input), &sender));
    AsyncRuntime::block_on(host.serve(lines));
    Ok(())
}

/// Shows a conversation.
pub(crate) fn demo() -> Result<(), Box<dyn Error>> {
    let (sender, mut events) = unbounded_channel();
    let host = Host::start(move |event| {
        println!("  host   {}", event.chars().take(150).collect::<String>());
        let _ = sender.send(event.to_owned());
    })?;
    AsyncRuntime::block_on(async {
        let (sender, lines) = channel(16);
        let served = spawn_local(host.serve(lines));
        for (number, (line, answer)) in DEMO.iter().enumerate() {
            println!("  agent  {line}");
            sender.send((number + 1, parse(line.as_bytes()))).await?;
            while events.recv().await.is_some_and(|event| !event.contains(answer)) {}
        }
        drop(sender);
        Ok(served.await?)
    })
}

/// What the agent says in the demo, and what it waits for before it says the next.
const DEMO: &[(&str, &str)] = &[
    (r#"{"id": 1, "code": "note = await fetch_note('greeting')\nnote.upper()"}"#, "value"),
    (r#"{"id": 2, "code": "import asyncio\nfor n in 1, 2: print(n, note)"}"#, "value"),
    (r#"{"id": 3, "code": "await fetch_note('no such')"}"#, "traceback"),
    (
        r#"{"id": 4, "code": "try:\n  print('waiting')\n  await asyncio.Event().wait()\nfinally: print('bye')"}"#,
        "waiting",
    ),
    (r#"{"id": 5, "code": "'another runs meanwhile'"}"#, "value"),
    (r#"{"cancel": 4}"#, "cancelled"),
    (r#"{"id": 6, "code": "print('computing')\nwhile True: pass"}"#, "computing"),
    (r#"{"interrupt": 6}"#, "interrupted"),
    (r#"{"id": 7, "code": "while True: pass", "limit_ms": 200}"#, "timed_out"),
    (r#"{"id": 8, "code": "print('x' * 100_000)"}"#, "value"),
    (r#"{"id": 9, "code": "input('Your name? ')"}"#, "traceback"),
    (r#"{"id": 10, "code": 6 * 7}"#, "error"),
    (r#"{"run": "6 * 7"}"#, "error"),
    (r#"{"id": 11, "code": "'still here'"}"#, "value"),
];

/// Takes the two streams of the protocol out of everybody else's reach: a subprocess of a cell inherits an empty
/// input, and its output goes where errors go. Before Python starts, as that looks at them.
fn own_stdio() -> io::Result<(File, File)> {
    let input = io::stdin().as_fd().try_clone_to_owned()?;
    let output = io::stdout().as_fd().try_clone_to_owned()?;
    rustix::stdio::dup2_stdin(File::open("/dev/null")?)?;
    rustix::stdio::dup2_stdout(io::stderr())?;
    Ok((input.into(), output.into()))
}

/// A function of the host's that cells may await: Rust's threads do the work, and other cells run meanwhile.
#[pyfunction]
fn fetch_note(py: Python<'_>, name: String) -> PyResult<Bound<'_, Job>> {
    future_to_awaitable(py, async move {
        // As if it came from afar.
        sleep(Duration::from_millis(1)).await;
        match name.as_str() {
            "greeting" => Ok("Ahoy!"),
            "plan" => Ok("Carry everybody over, one after the other."),
            _ => Err(format!("there is no note {name:?}; there are greeting and plan")),
        }
    })
}

/// What the agent asks for. Ids are texts or numbers, and are kept as they came.
enum Request {
    Run { id: Value, code: String, limit: Duration },
    Cancel(Value),
    Interrupt(Value),
}

/// A line's number, and what it asks for or what is wrong with it.
type Line = (usize, Result<Request, String>);

/// Reads requests until the input or the host ends.
fn read_lines(mut input: impl BufRead, sender: &Sender<Line>) {
    for number in 1.. {
        let request = match read_line(&mut input) {
            Ok(line) if line.is_empty() => return,
            Ok(line) if line.trim_ascii().is_empty() => continue,
            Ok(line) => parse(&line),
            Err(error) => {
                let _ = sender.blocking_send((number, Err(format!("it can't be read: {error}"))));
                return;
            }
        };
        if sender.blocking_send((number, request)).is_err() {
            return;
        }
    }
}

/// A line with its end; of one that is too long, a bit more than is allowed.
fn read_line(input: &mut impl BufRead) -> io::Result<Vec<u8>> {
    let mut line = Vec::new();
    input.take(LINE_LIMIT as u64 + 1).read_until(b'\n', &mut line)?;
    if line.len() > LINE_LIMIT && !line.ends_with(b"\n") {
        input.skip_until(b'\n')?;
    }
    Ok(line)
}

fn parse(line: &[u8]) -> Result<Request, String> {
    if line.len() > LINE_LIMIT {
        return Err(format!("it's longer than {LINE_LIMIT} bytes; have the cell read long data from a file"));
    }
    let value = serde_json::from_slice(line).map_err(|error| format!("it's not JSON: {error}"))?;
    let Value::Object(mut fields) = value else {
        return Err(format!("it's no object; {REQUESTS}"));
    };
    let request = match (fields.remove("code"), fields.remove("cancel"), fields.remove("interrupt")) {
        (Some(Value::String(code)), None, None) => {
            Request::Run { id: id(fields.remove("id"))?, code, limit: limit(&mut fields)? }
        }
        (Some(_), None, None) => return Err("\"code\" must be a text".to_owned()),
        (None, Some(cell), None) => Request::Cancel(id(Some(cell))?),
        (None, None, Some(cell)) => Request::Interrupt(id(Some(cell))?),
        _ => return Err(format!("it asks for nothing, or for more than one thing; {REQUESTS}")),
    };
    match fields.keys().next() {
        Some(unknown) => Err(format!("{unknown:?} does not belong there; {REQUESTS}")),
        None => Ok(request),
    }
}

const REQUESTS: &str =
    "a request has \"id\" and \"code\" (and \"limit_ms\"), or \"cancel\", or \"interrupt\"";

fn id(value: Option<Value>) -> Result<Value, String> {
    value
        .filter(|id| id.is_string() || id.is_number())
        .ok_or_else(|| "the cell must have an id that is a text or a number".to_owned())
}

fn limit(fields: &mut Map<String, Value>) -> Result<Duration, String> {
    let Some(limit) = fields.remove("limit_ms") else { return Ok(TIME_LIMIT) };
    let milliseconds = limit.as_u64().filter(|limit| *limit > 0);
    let milliseconds =
        milliseconds.ok_or("\"limit_ms\" must be a whole number of milliseconds, of at least one")?;
    Ok(Duration::from_millis(milliseconds))
}

/// How a cell ended, and whether its time was up.
struct Ended {
    outcome: Result<CellOutcome, CellError>,
    timed_out: bool,
}

/// What tells the agent a line.
type Say = Box<dyn FnMut(&str)>;

struct Host {
    kernel: Kernel,
    /// Those that run, by id.
    cells: RefCell<HashMap<String, CellControl>>,
    say: RefCell<Say>,
}

impl Host {
    /// Starts Python. `say` is given what the agent shall hear.
    fn start(say: impl FnMut(&str) + 'static) -> Result<Self, Box<dyn Error>> {
        let kernel = Kernel::start()?;
        kernel.set_output_limit(OUTPUT_LIMIT);
        Python::attach(|py| {
            let function = wrap_pyfunction!(fetch_note, py)?;
            py.import("__main__")?.setattr("fetch_note", function)
        })?;
        Ok(Self { kernel, cells: RefCell::default(), say: RefCell::new(Box::new(say)) })
    }

    /// Does what is asked for, until there are no more lines and no more cells.
    async fn serve(self, mut lines: Receiver<Line>) {
        let host = Rc::new(self);
        // The receiver hears the end when each cell has dropped its sender.
        let (running, mut all_ended) = channel::<()>(1);
        while let Some((number, request)) = lines.recv().await {
            let done = request.and_then(|request| host.clone().handle(request, &running));
            if let Err(error) = done {
                host.say(&json!({ "error": format!("line {number}: {error}") }));
            }
        }
        drop(running);
        let _ = all_ended.recv().await;
        host.kernel.shutdown();
    }

    fn handle(self: Rc<Self>, request: Request, running: &Sender<()>) -> Result<(), String> {
        match request {
            Request::Run { id, code, limit } => {
                let Some(cell) = self.begin(&id, code)? else {
                    self.say(&refusal(&id));
                    return Ok(());
                };
                let running = running.clone();
                drop(spawn_local(async move {
                    self.follow(id, cell, limit).await;
                    drop(running);
                }));
            }
            Request::Cancel(id) => self.running(&id)?.cancel("the agent cancelled it"),
            Request::Interrupt(id) => self.running(&id)?.interrupt(),
        }
        Ok(())
    }

    /// `None` when as many run as may.
    fn begin(&self, id: &Value, code: String) -> Result<Option<Cell>, String> {
        let mut cells = self.cells.borrow_mut();
        if cells.contains_key(&id.to_string()) {
            return Err(format!("a cell with the id {id} runs; take another id, or wait for its end"));
        }
        if cells.len() >= CELLS_LIMIT {
            return Ok(None);
        }
        let cell = self.kernel.run(code);
        cells.insert(id.to_string(), cell.control());
        Ok(Some(cell))
    }

    fn running(&self, id: &Value) -> Result<CellControl, String> {
        let cells = self.cells.borrow();
        let control = cells.get(&id.to_string()).cloned();
        control.ok_or_else(|| format!("no cell with the id {id} runs: it has ended, or never began"))
    }

    /// Tells what a cell prints, and how it ends, or makes it end.
    async fn follow(&self, id: Value, cell: Cell, limit: Duration) {
        let mut output = cell.output();
        let ended = spawn_local(limited(cell, limit));
        let tell = async {
            self.tell(&id, &mut output).await;
            std::future::pending().await
        };
        let ended = futures_lite::future::or(async { ended.await.ok().flatten() }, tell).await;
        let Some(ended) = ended else {
            self.say(
                &json!({ "id": id, "error": "it can't be stopped, and so the host ends; start another" }),
            );
            exit(1);
        };
        // What it printed last.
        self.tell(&id, &mut output).await;
        self.cells.borrow_mut().remove(&id.to_string());
        self.say(&told(&id, ended, limit));
    }

    /// Tells what a cell prints until it ends.
    async fn tell(&self, id: &Value, output: &mut OutputStream) {
        while let Some(chunk) = output.next().await {
            let stream = if chunk.stream == Stream::Stdout { "stdout" } else { "stderr" };
            self.say(&json!({ "id": id, stream: chunk.text }));
        }
    }

    fn say(&self, event: &Value) {
        (self.say.borrow_mut())(&event.to_string());
    }
}

/// The cell's end; `None` if nothing makes it end.
async fn limited(cell: Cell, limit: Duration) -> Option<Ended> {
    let control = cell.control();
    let mut cell = pin!(cell);
    if let Ok(outcome) = timeout(limit, cell.as_mut()).await {
        return Some(Ended { outcome, timed_out: false });
    }
    control.cancel("its time is up");
    for _ in 0..ATTEMPTS {
        if let Ok(outcome) = timeout(GRACE, cell.as_mut()).await {
            return Some(Ended { outcome, timed_out: true });
        }
        control.interrupt();
    }
    None
}

fn refusal(id: &Value) -> Value {
    let error = format!("{CELLS_LIMIT} cells run already; wait for the end of one, or cancel it");
    json!({ "id": id, "error": error, "kind": "refused", "traceback": null })
}

fn told(id: &Value, ended: Ended, limit: Duration) -> Value {
    let error = match ended.outcome {
        Ok(outcome) => return json!({ "id": id, "value": outcome.repr }),
        Err(error) => error,
    };
    let kind = match error.kind {
        CellErrorKind::Cancelled | CellErrorKind::Interrupted if ended.timed_out => {
            return json!({ "id": id, "timed_out": format!("{limit:?}") });
        }
        CellErrorKind::Cancelled => return json!({ "id": id, "cancelled": error.message }),
        CellErrorKind::Interrupted => return json!({ "id": id, "interrupted": error.message }),
        CellErrorKind::Syntax => "syntax",
        CellErrorKind::Exit => "exit",
        CellErrorKind::KernelGone => "kernel gone",
        _ => "raised",
    };
    json!({ "id": id, "error": error.message, "kind": kind, "traceback": error.traceback })
}
