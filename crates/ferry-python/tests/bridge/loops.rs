//! Loops that end, loops that are interrupted, many loops; and locks that both sides take.

use crate::check;

#[test]
fn python_code_that_rust_awaits_ends_with_its_loop() {
    check(
        r#"
def start():
    async def main():
        return probe.relay(asyncio.get_running_loop().create_future())
    return main()
aw = asyncio.run(start())
async def after():
    try:
        await aw
    except asyncio.CancelledError:
        return "ended"
assert asyncio.run(asyncio.wait_for(after(), 60)) == "ended"
"#,
    );
}

#[test]
fn thousands_of_short_loops_leak_nothing() {
    check(
        r#"
import gc, os, weakref
def descriptors(): return len(os.listdir("/proc/self/fd"))
async def main():
    job = probe.Manual()
    asyncio.get_running_loop().call_soon(job.complete_on_thread, 1)
    await job.start()
    loops.append(weakref.ref(asyncio.get_running_loop()))
loops = []
def run(times):
    for _ in range(times):
        asyncio.run(main())
    gc.collect()
run(10)
before = descriptors()
run(1000)
# Other tests run their loops in this process meanwhile.
assert descriptors() < before + 200, (before, descriptors())
assert sum(loop() is not None for loop in loops) < 5
# A loop that was dropped without being closed is not kept alive either.
loop = asyncio.new_event_loop()
loop.run_until_complete(main())
gone = weakref.ref(loop)
import warnings
with warnings.catch_warnings():
    warnings.simplefilter("ignore", ResourceWarning)
    del loop
    gc.collect()
assert gone() is None
"#,
    );
}

#[test]
fn a_loop_that_ends_drops_its_mail_at_once() {
    check(
        r#"
import gc, warnings, weakref
warnings.simplefilter("ignore", ResourceWarning)
class Callback:
    def __call__(self, aw): pass
for how in "closed", "dropped":
    loop = asyncio.new_event_loop()
    job = probe.Manual()
    async def main(): return job.direct()
    aw = loop.run_until_complete(main())
    job.complete(1)
    assert aw.done()
    # No loop runs here, so this is sent to the one that the awaitable was made on.
    callback = Callback()
    gone = weakref.ref(callback)
    aw.add_done_callback(callback)
    del callback
    assert gone() is not None
    if how == "closed": loop.close()
    # No other loop is made from here on.
    else: del loop; gc.collect()
    assert gone() is None, f"there's still mail for a loop that was {how}"
"#,
    );
}
