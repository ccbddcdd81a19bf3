//! The kernel's end, in a process of its own.

#![allow(clippy::unwrap_used, reason = "a panic fails the test, as it should")]

use asyncferry::AsyncRuntime;
use asyncferry_python::kernel::{CellErrorKind, Kernel};

#[test]
fn shutdown_cancels_cells_and_a_new_kernel_can_start() {
    let kernel = Kernel::start().unwrap();
    AsyncRuntime::block_on(async {
        let code = "
import asyncio
survives = 1
try:
    print('in')
    await asyncio.Event().wait()
finally:
    await asyncio.sleep(0)
    print('cleaned up')
";
        let cell = kernel.run(code);
        assert_eq!(cell.output().next().await.unwrap().text.trim(), "in");
        kernel.shutdown();
        let error = cell.await.unwrap_err();
        assert_eq!((error.kind, error.stdout.as_str()), (CellErrorKind::Cancelled, "in\ncleaned up\n"));
        assert!(error.message.contains("the kernel is shutting down"), "{}", error.message);
        kernel.shutdown();
        assert_eq!(kernel.run("1").await.unwrap_err().kind, CellErrorKind::KernelGone);

        let again = Kernel::start().unwrap();
        assert_eq!(again.run("survives + 1").await.unwrap().repr.unwrap(), "2");
        // One that is asked to stop from inside ends too.
        let home = again.home().clone();
        let inside = again.clone();
        home.run(move |_, _| {
            inside.shutdown();
            Ok(())
        });
        again.shutdown();
        assert_eq!(again.run("1").await.unwrap_err().kind, CellErrorKind::KernelGone);
    });
}
