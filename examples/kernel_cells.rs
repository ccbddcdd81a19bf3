//! A Rust program with a Python kernel inside: what cells give, two at once, one that is cancelled, and one
//! that fails. `cargo run -p asyncferry-python --example kernel_cells`

use asyncferry::{AsyncRuntime, spawn_local};
use asyncferry_python::kernel::{Cell, CellErrorKind::Cancelled, Kernel};

const SHARED: &str = "import asyncio\nanswer = 6 * 7\nanswer";

const COUNT: &str = "
for n in 1, 2, 3:
    print(n)
    await asyncio.sleep(0.2)
";

const PATIENT: &str = "
try:
    print('waiting for what never comes')
    await asyncio.Event().wait()
finally:
    print('cleaning up')
";

const BROKEN: &str = "def divide(n):\n    return answer / n\n\ndivide(0)";

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let kernel = Kernel::start()?;
    AsyncRuntime::block_on(async {
        println!("A cell gives the value of its last line. Its variables stay for the next cells.");
        show("first", kernel.run(SHARED)).await;
        show("second", kernel.run("await asyncio.sleep(0.1)\nanswer + 1")).await;

        println!("\nTwo cells run at once, and take turns where they await. Each one's output is its own.");
        let left = spawn_local(show("left", kernel.run(COUNT)));
        let right = spawn_local(show("right", kernel.run(COUNT)));
        left.await?;
        right.await?;

        println!("\nA cell is cancelled where it awaits, and cleans up.");
        let cell = kernel.run(PATIENT);
        cell.output().next().await;
        cell.cancel("we have waited enough");
        show("patient", cell).await;

        println!("\nA cell that fails ends with an error that shows its own lines.");
        show("broken", kernel.run(BROKEN)).await;
        Ok::<_, Box<dyn std::error::Error>>(())
    })?;
    kernel.shutdown();
    Ok(())
}

/// Shows what `cell` prints, as it comes, and how it ends.
async fn show(name: &'static str, cell: Cell) {
    let mut output = cell.output();
    while let Some(chunk) = output.next().await {
        chunk.text.lines().for_each(|line| println!("  {name} prints: {line}"));
    }
    match cell.await {
        Ok(outcome) => println!("  {name} gives: {}", outcome.repr.as_deref().unwrap_or("nothing")),
        Err(error) if error.kind == Cancelled => println!("  {name} is cancelled: {}", error.message),
        Err(error) => println!("  {name} fails:\n    {}", error.to_string().replace('\n', "\n    ")),
    }
}
