//! The command line: what may be written, and what it means.

use std::ffi::OsString;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::sync::LazyLock;
use std::sync::atomic::{AtomicU8, Ordering};

use asyncferry_python::interpreter::linked_version;
use asyncferry_python::run::{Ending, Program, RunError, run, run_beside};
use asyncferry_python::set_default_pool;
use clap::{Args, Parser, Subcommand, ValueEnum};

use crate::{jobs, wren};

static VERSION: LazyLock<String> =
    LazyLock::new(|| format!("{} (Python {})", env!("CARGO_PKG_VERSION"), linked_version()));

/// Carries async work between languages.
#[derive(Debug, Parser)]
#[command(name = "ferry", version = VERSION.as_str(), arg_required_else_help = true)]
pub(crate) struct Cli {
    #[command(subcommand)]
    pub(crate) command: Command,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    Run(Run),
    Jobs(Jobs),
    /// Try Wren, line by line
    Repl,
}

/// What a program is written in.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Language {
    Python,
    Wren,
}

/// Tries Wren, line by line, and ends the process.
pub(crate) fn repl() -> ! {
    Ending::Exit(wren::repl::run()).leave()
}

/// Run a program, and show its jobs: live on a terminal, and as one table at the end
///
/// The program runs as under `ferry run`, in a process of its own, and the table is written to stderr: the jobs of each
/// pool, and the functions that were given to submit(), by name and priority. While the table is live, the program's
/// output is no terminal for it. Exits with the program's exit code.
#[derive(Debug, Args)]
#[command(override_usage = "ferry jobs [--python PATH] <FILE | - | -c CODE> [FILE.wren]... [ARGS]...")]
pub(crate) struct Jobs {
    /// As of `ferry run`
    #[arg(long, value_name = "PATH")]
    python: Option<PathBuf>,

    /// A file, or `-` for standard input, or `-c CODE`; everything after it is the program's own
    #[arg(value_name = "PROGRAM", required = true, trailing_var_arg = true, allow_hyphen_values = true)]
    program: Vec<OsString>,
}

impl Jobs {
    /// Runs the program, and ends the process with its exit code.
    pub(crate) fn show(self) -> ! {
        let mut words = Vec::new();
        if let Some(python) = self.python {
            words.extend(["--python".into(), python.into()]);
        }
        words.extend(self.program);
        match jobs::show(words) {
            Ok(status) => Ending::Exit(jobs::exit_code(status)).leave(),
            Err(error) => fail(&format!("the program could not be run with its jobs shown: {error}"), 1),
        }
    }
}

/// Run a program: Python, whose top level may await, or Wren
///
/// A program is Wren if its file's name ends in `.wren`.
///
/// Plain Python programs run as under `python`: same arguments, exit codes, tracebacks and packages.
///
/// Wren programs import files beside them. They end with 65 if they can't be compiled, and with 70 if they fail.
///
/// Several files, as in `ferry run main.py rules.wren`, run on one runtime, and share jobs, queues and events by name. Those in Wren
/// come first, each up to its first wait. An argument that is the name of a Wren file comes after `--`.
#[derive(Debug, Args)]
#[command(
    override_usage = "ferry run [--python PATH | --lang wren] <FILE | - | -c CODE> [FILE.wren]... [--] [ARGS]..."
)]
pub(crate) struct Run {
    /// What the program is written in [default: what the file's name says; Python for - and -c]
    #[arg(long, value_enum, value_name = "LANGUAGE")]
    lang: Option<Language>,

    /// The interpreter (or virtual environment) whose packages the program sees, and which it starts as
    /// sys.executable [default: that of VIRTUAL_ENV, or the one that ferry was built with]
    #[arg(long, value_name = "PATH")]
    python: Option<PathBuf>,

    /// A socket that hears what the program's pools have counted: what `ferry jobs` uses
    #[arg(long, value_name = "SOCKET", hide = true)]
    jobs_feed: Option<PathBuf>,

    /// A file, or `-` for standard input, or `-c CODE`; files in Wren that run beside it; and what is the program's own
    #[arg(value_name = "PROGRAM", required = true, trailing_var_arg = true, allow_hyphen_values = true)]
    program: Vec<OsString>,
}

impl Run {
    /// Runs the program and ends the process as it ended.
    pub(crate) fn run(self) -> ! {
        let (program, args) = match program(self.program) {
            Ok(parsed) => parsed,
            Err(problem) => fail(&problem, 2),
        };
        let is_wren = match (self.lang, &program) {
            (Some(lang), _) => lang == Language::Wren,
            (None, Program::File(path)) => wren::is_wren(path),
            (None, _) => false,
        };
        let (first, others, args) = match programs(program, is_wren, args) {
            Ok(programs) => programs,
            Err(problem) => fail(&problem, 2),
        };
        let feed = self.jobs_feed.map(|socket| {
            jobs::feed(&socket).unwrap_or_else(|error| {
                let place = socket.display();
                fail(&format!("there is nobody at {place} to hear of the program's jobs: {error}"), 2)
            })
        });
        let Some(program) = first else {
            if self.python.is_some() {
                fail("--python is for Python programs, and there is none.", 2);
            }
            let code = wren::run(others, &args);
            if let Some(feed) = feed {
                feed.end();
            }
            Ending::Exit(code).leave()
        };
        let ended = match others.is_empty() {
            true => run(&program, &args, self.python.as_deref()),
            false => run_beside_wren(&program, others, &args, self.python.as_deref()),
        };
        match ended {
            Ok(ending) => ending.leave(),
            Err(error) => fail(&error.to_string(), error.exit_code()),
        }
    }
}

/// Runs a Python program with programs in Wren beside it, which share its default pool.
fn run_beside_wren(
    program: &Program,
    others: Vec<wren::Program>,
    args: &[OsString],
    python: Option<&Path>,
) -> Result<Ending, RunError> {
    let sources = match wren::read_all(others) {
        Ok(sources) => sources,
        Err(code) => Ending::Exit(code).leave(),
    };
    let pool = wren::pool();
    let Ok(()) = set_default_pool(pool.clone()) else { unreachable!("nobody else has set one") };
    let stops = wren::Stops::default();
    let group = wren::Group::start(sources, &pool, args, &stops);
    let code = AtomicU8::new(0);
    let ending = run_beside(program, args, python, |ending| {
        match ending {
            Ending::Interrupted => group.interrupt(),
            Ending::Exit(_) => stops.by_ctrl_c(),
        }
        code.store(group.finish(), Ordering::Relaxed);
        wren::flush();
    })?;
    Ok(match ending {
        Ending::Exit(0) => Ending::Exit(code.into_inner()),
        other => other,
    })
}

/// What runs: the Python program, if there is one; those in Wren; and the arguments. Files that follow the first one are programs as long
/// as one of them or the first is Wren, up to `--`.
#[expect(clippy::type_complexity, reason = "it's taken apart where it comes from")]
fn programs(
    first: Program,
    is_wren: bool,
    args: Vec<OsString>,
) -> Result<(Option<Program>, Vec<wren::Program>, Vec<OsString>), String> {
    let (mut python, mut others) =
        if is_wren { (None, vec![of_wren(first)]) } else { (Some(first), Vec::new()) };
    let mut args = args.into_iter().peekable();
    while let Some(word) = args.next_if(|word| {
        let path = Path::new(word);
        wren::is_wren(path) || (is_wren && is_python(path))
    }) {
        if wren::is_wren(Path::new(&word)) {
            others.push(wren::Program::File(word.into()));
        } else if python.replace(Program::File(word.into())).is_some() {
            return Err("a run has one Python program at most: import the others from that one, or write \
                        arguments of the program after --"
                .to_owned());
        }
    }
    args.next_if(|word| word == "--" && !others.is_empty());
    Ok((python, others, args.collect()))
}

fn is_python(path: &Path) -> bool {
    path.extension().is_some_and(|extension| extension == "py")
}

fn of_wren(program: Program) -> wren::Program {
    match program {
        Program::File(path) => wren::Program::File(path),
        Program::Code(code) => wren::Program::Code(code),
        Program::Stdin => wren::Program::Stdin,
    }
}

/// Splits what follows the options into the program and its arguments.
fn program(words: Vec<OsString>) -> Result<(Program, Vec<OsString>), String> {
    let mut words = words.into_iter();
    let first = words.next().unwrap_or_default();
    let program = match first.to_str() {
        Some("-") => Program::Stdin,
        Some("-c") => Program::Code(words.next().ok_or("-c needs the code to run as its argument")?),
        Some(text) if text.starts_with("-c") => Program::Code(text[2..].into()),
        Some(text) if text.starts_with('-') => {
            return Err(format!(
                "ferry run has no option {text} (see: ferry run --help). Options of the program come after \
                 its name; a file of this name is written ./{text}"
            ));
        }
        _ => Program::File(first.into()),
    };
    Ok((program, words.collect()))
}

fn fail(problem: &str, code: u8) -> ! {
    // A full or closed stderr must not change the exit code.
    let _ = writeln!(std::io::stderr(), "ferry: {problem}");
    Ending::Exit(code).leave()
}
