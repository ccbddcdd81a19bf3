//! Errors on their way from Rust to Python.

use crate::check;

#[test]
fn an_exception_comes_back_as_the_same_object_with_its_traceback() {
    check(
        r#"
import traceback
def origin():
    raise ValueError("mine")
try:
    origin()
except ValueError as caught:
    error = caught
async def main():
    for how in "bare", "wrapped", "anyhow", "context":
        depth = []
        aw = probe.fail_with(error, how)
        for _ in range(3):
            try:
                await aw
            except ValueError as caught:
                assert caught is error, how
                frames = [frame.name for frame in traceback.extract_tb(caught.__traceback__)]
                assert "origin" in frames, frames
                depth.append(len(frames))
        assert depth[0] == depth[1] == depth[2], f"tracebacks pile up: {depth}"
        assert aw.exception() is error
asyncio.run(main())
"#,
    );
}

#[test]
fn a_rust_error_keeps_its_sources() {
    check(
        r#"
async def main():
    try:
        await probe.fail_layered()
    except ferry.FerryError as error:
        assert str(error) == "can't save" and isinstance(error, RuntimeError)
        assert type(error.__cause__) is ferry.FerryError and str(error.__cause__) == "disk on fire"
        assert error.__cause__.__cause__ is None
    else:
        assert False
asyncio.run(main())
"#,
    );
}

#[test]
fn a_traceback_has_the_frames_of_both_languages() {
    check(
        r#"
import gc, traceback
async def callee():
    raise KeyError("lost")
async def main():
    big = [object()]
    for job, name, inner in [
        (probe.fail_layered(), "FerryError", []),
        (probe.boom("boom", False), "PanicError", []),
        (probe.relay(callee()), "KeyError", ["callee"]),
    ]:
        try:
            await job
        except Exception as error:
            assert type(error).__name__ == name
            frames = traceback.extract_tb(error.__traceback__)
            assert [frame.name for frame in frames] == ["main", "<Rust>", *inner], frames
            assert frames[1].filename.endswith("probe.rs") and frames[1].lineno > 1
            assert "probe.rs" in traceback.format_exc()
            assert "probe.rs" in "".join(traceback.format_exception(error))
            assert error.__traceback__.tb_next.tb_frame.f_back is None, "it keeps nobody alive"
        else:
            assert False
asyncio.run(main())
"#,
    );
}

#[test]
fn jobs_give_artifacts_or_say_why_not() {
    check(
        r#"
async def main():
    made = ferry.Artifact("a", "b", ["c"])
    for how in "completed", "oneshot":
        aw = probe.artifact(how)
        assert "job-1" in repr(aw)
        artifact = await aw
        assert artifact == made and hash(artifact) == hash(made) and artifact != ferry.Artifact("a", "b")
        assert (artifact.id, artifact.content_hash, artifact.tags) == ("a", "b", ["c"])
        assert repr(artifact) == "Artifact(id='a', content_hash='b', tags=['c'])"
    try:
        await probe.artifact("failed")
    except ferry.FerryError as error:
        assert str(error) == "no disk"
    else:
        assert False
    for how, why in ("cancelled", "by its owner"), ("oneshot dropped", "job-1"), ("dropped", "dropped"):
        try:
            await probe.artifact(how)
        except asyncio.CancelledError as error:
            assert why in str(error), error
        else:
            assert False
asyncio.run(main())
"#,
    );
}

#[test]
fn an_error_that_nobody_retrieves_is_reported_once() {
    check(
        r#"
async def main():
    seen = []
    asyncio.get_running_loop().set_exception_handler(lambda loop, context: seen.append(context))
    error = ValueError("lost")
    aw = probe.fail_with(error, "bare")
    del aw
    assert [context["exception"] for context in seen] == [error]
    assert "nobody retrieved" in seen[0]["message"]
    # One that fails later, and that nobody looked at since.
    job = probe.Manual()
    aw = job.direct()
    job.fail("later")
    del aw
    assert len(seen) == 2 and str(seen[1]["exception"]) == "later"
    # Retrieved in any way, it's not reported.
    for look in (lambda aw: aw.exception()), (lambda aw: aw.result()), (lambda aw: aw.send(None)):
        aw = probe.fail_with(error, "bare")
        try:
            look(aw)
        except ValueError:
            pass
        del aw
    # A look that is no retrieval doesn't count as one.
    aw = probe.fail_with(error, "bare")
    aw.done(), repr(aw), aw.cancelled()
    del aw
    assert len(seen) == 3
asyncio.run(main())
"#,
    );
}

#[test]
fn an_exception_of_a_callback_goes_to_the_loops_handler() {
    check(
        r#"
async def main():
    seen = []
    asyncio.get_running_loop().set_exception_handler(lambda loop, context: seen.append(context["exception"]))
    job = probe.Manual()
    aw = job.start()
    ran = []
    def bad(aw): raise ValueError("bad callback")
    aw.add_done_callback(bad)
    aw.add_done_callback(ran.append)
    job.complete_on_thread(1)
    await aw
    while not ran: await asyncio.sleep(0)
    assert [str(error) for error in seen] == ["bad callback"]
asyncio.run(main())
"#,
    );
}

#[test]
fn a_stop_iteration_out_of_rust_is_no_value() {
    check(
        r#"
async def main():
    try:
        await probe.fail_with(StopIteration(3), "bare")
    except RuntimeError as error:
        assert isinstance(error.__cause__, StopIteration)
    else:
        assert False
asyncio.run(main())
"#,
    );
}

#[test]
fn a_panic_that_goes_through_python_ends_what_it_came_out_of() {
    check(
        r#"
async def panics():
    await asyncio.sleep(0)
    probe.boom_here("in a coroutine")
async def panics_when_told():
    try: await asyncio.sleep(1000)
    finally: probe.boom_here("in a coroutine that is cancelled")
async def main():
    job = ferry.submit(panics_when_told)
    await asyncio.sleep(0)
    job.cancel()
    for job in job, ferry.submit(panics), probe.relay(panics()), ferry.submit(lambda: panics()):
        try:
            await asyncio.wait_for(asyncio.shield(job), 60)
        except ferry.PanicError as error:
            assert str(error).startswith("in a coroutine")
        else:
            assert False
asyncio.run(main())
"#,
    );
}

#[test]
fn a_callback_that_panics_is_reported_and_the_loop_goes_on() {
    check(
        r#"
import contextvars
async def main():
    told, called = [], []
    asyncio.get_running_loop().set_exception_handler(lambda _, what: told.append(what["exception"]))
    job = ferry.sleep(1000)
    context = contextvars.copy_context()
    job.add_done_callback(lambda _: probe.boom_here("in a callback"), context=context)
    # The same context: it was left.
    job.add_done_callback(called.append, context=context)
    job.cancel()
    while not called: await asyncio.sleep(0)
    assert called == [job]
    [error] = told
    assert type(error) is ferry.PanicError and str(error) == "in a callback"
asyncio.run(main())
"#,
    );
}
