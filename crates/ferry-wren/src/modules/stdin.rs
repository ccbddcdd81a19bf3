//! `Stdin` and `Stdout` of the module `io`.
//!
//! Standard input is read by a thread at a time, which puts what it gets into a buffer of the process. Whoever waits takes from that, in
//! line; one who gives up leaves everything there.

use super::platform::{self, Terminal};
use crate::{
    home::current,
    park::{Answer, By, Item, Park, wait},
};
use asyncferry::{Failure, spawn_blocking, sync::Lock};
use std::{
    io::{self, IsTerminal, Read, Write},
    sync::{LazyLock, Mutex, MutexGuard, PoisonError},
};
use wren::{Context, Error, VmBuilder};

/// A line may have so many bytes.
const LONGEST: usize = 64 << 20;

#[derive(Default)]
struct Input {
    buffer: Vec<u8>,
    is_over: bool,
    error: Option<String>,
}

/// What was read; and the line of those who wait.
static INPUT: Mutex<Input> = Mutex::new(Input { buffer: Vec::new(), is_over: false, error: None });
static TURN: LazyLock<Lock> = LazyLock::new(|| Lock::new(()));
/// Held by who reads.
static READER: Mutex<()> = Mutex::new(());
/// What the terminal was like, if it's raw.
static RAW: Mutex<Option<Terminal>> = Mutex::new(None);

fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Reads on, if nobody has since `length` bytes were there.
fn read_on(length: usize) {
    let _reader = locked(&READER);
    {
        let input = locked(&INPUT);
        if input.buffer.len() > length || input.is_over {
            return;
        }
    }
    let mut chunk = [0; 16 << 10];
    let got = loop {
        match io::stdin().lock().read(&mut chunk) {
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            got => break got,
        }
    };
    let mut input = locked(&INPUT);
    match got {
        Ok(0) => input.is_over = true,
        Ok(count) => input.buffer.extend_from_slice(&chunk[..count]),
        Err(error) => {
            input.is_over = true;
            input.error = Some(super::words(&error));
        }
    }
}

/// Takes what `take` finds in the buffer, which is told whether that's all there will be.
async fn taken(take: fn(&mut Vec<u8>, bool) -> Option<wren::Value>) -> Result<Item, Failure> {
    let _turn = TURN.acquire().await;
    loop {
        let length = {
            let mut input = locked(&INPUT);
            let is_over = input.is_over;
            if let Some(value) = take(&mut input.buffer, is_over) {
                return Ok(Item::Own(value));
            }
            if is_over {
                let error = input.error.clone();
                return Err(Failure::from_error(error.unwrap_or_else(|| "Stdin was closed.".to_owned())));
            }
            if input.buffer.len() > LONGEST {
                return Err(Failure::from_error("The line is longer than 64 MiB."));
            }
            input.buffer.len()
        };
        spawn_blocking(move || read_on(length)).await?;
    }
}

fn byte(buffer: &mut Vec<u8>, _is_over: bool) -> Option<wren::Value> {
    if buffer.is_empty() {
        return None;
    }
    Some(f64::from(buffer.remove(0)).into())
}

fn line(buffer: &mut Vec<u8>, is_over: bool) -> Option<wren::Value> {
    let end = buffer.iter().position(|byte| *byte == b'\n');
    let mut line: Vec<u8> = match end {
        Some(end) => buffer.drain(..=end).collect(),
        None if is_over && !buffer.is_empty() => std::mem::take(buffer),
        None => return None,
    };
    if line.ends_with(b"\n") {
        line.pop();
        if line.ends_with(b"\r") {
            line.pop();
        }
    }
    Some(String::from_utf8(line).map_or_else(|error| wren::Value::Bytes(error.into_bytes()), Into::into))
}

fn taking(
    cx: &mut Context<'_>,
    take: fn(&mut Vec<u8>, bool) -> Option<wren::Value>,
) -> Result<Answer, Error> {
    wait(&current(), cx, Park::new(By::Itself, taken(take)))
}

fn set_raw(is_raw: bool) -> io::Result<()> {
    let mut raw = locked(&RAW);
    match (is_raw, raw.take()) {
        (true, None) if io::stdin().is_terminal() => *raw = Some(platform::make_raw()?),
        (true, before) => *raw = before,
        (false, Some(before)) => before.restore()?,
        (false, None) => {}
    }
    Ok(())
}

/// The terminal is as it was before a script made it raw.
pub(crate) fn restore() {
    // Where that fails, there is nothing else to try.
    let _ = set_raw(false);
}

pub(super) fn register(builder: VmBuilder) -> VmBuilder {
    builder
        .method("io", "Stdin", "static isRaw", |_: &mut Context<'_>, ()| locked(&RAW).is_some())
        .method("io", "Stdin", "static isRaw=(_)", |_: &mut Context<'_>, (is_raw,): (bool,)| {
            set_raw(is_raw).map_err(|error| Error::new(super::words(&error))).map(|()| is_raw)
        })
        .method("io", "Stdin", "static isTerminal", |_: &mut Context<'_>, ()| io::stdin().is_terminal())
        .method("io", "Stdin", "static readByte()", |cx: &mut Context<'_>, ()| taking(cx, byte))
        .method("io", "Stdin", "static readLine()", |cx: &mut Context<'_>, ()| taking(cx, line))
        .method("io", "Stdout", "static flush()", |_: &mut Context<'_>, ()| {
            io::stdout().flush().map_err(|error| Error::new(super::words(&error)))
        })
}
