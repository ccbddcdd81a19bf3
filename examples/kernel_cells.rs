//! A Rust program with a Python kernel inside: a few cells at once, their output as it comes, and one that is
//! cancelled. `cargo run -p asyncferry-python --example kernel_cells`

use asyncferry::{AsyncRuntime, spawn_local};
use asyncferry_python::kernel::{Cell, Kernel};

const SETUP: &str = "
import asyncio
turns = {name: asyncio.Event() for name in ('ping', 'pong')}
turns['ping'].set()
";

/// Two of these take turns.
const PLAYER: &str = "
for n in range(3):
    await turns[MINE].wait()
    turns[MINE].clear()
    print(n)
    turns[OTHER].set()
n
";

const PATIENT: &str = "
try:
    print('waiting for something that never happens')
    await asyncio.Event().wait()
finally:
    print('cleaning up')
";

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let kernel = Kernel::start()?;
    AsyncRuntime::block_on(async {
        kernel.run(SETUP).await?;
        let player = |mine: &str, other: &str| {
            let code = PLAYER.replace("MINE", &format!("'{mine}'")).replace("OTHER", &format!("'{other}'"));
            spawn_local(show(mine.to_owned(), kernel.run(code)))
        };
        let (ping, pong) = (player("ping", "pong"), player("pong", "ping"));

        let patient = kernel.run(PATIENT);
        patient.output().next().await;
        patient.cancel("we have seen enough");
        let patient = spawn_local(show("patient".to_owned(), patient));
        let broken = spawn_local(show("broken".to_owned(), kernel.run("def f():\n    return 1 / 0\nf()")));
        for task in [ping, pong, patient, broken] {
            task.await?;
        }
        Ok::<_, Box<dyn std::error::Error>>(())
    })?;
    kernel.shutdown();
    Ok(())
}

/// Prints what `cell` prints, and how it ended.
async fn show(name: String, cell: Cell) {
    let mut output = cell.output();
    while let Some(chunk) = output.next().await {
        for line in chunk.text.lines() {
            println!("{name}: {line}");
        }
    }
    match cell.await {
        Ok(outcome) => println!("{name} gave {}", outcome.repr.as_deref().unwrap_or("nothing")),
        Err(error) => println!("{name} failed:\n{error}"),
    }
}
