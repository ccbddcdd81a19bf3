//! `digest_file`.

use crate::check;

#[test]
fn a_file_is_hashed_and_named() {
    check(
        r#"
import os, pathlib, tempfile
async def main():
    with tempfile.TemporaryDirectory() as folder:
        path = os.path.join(folder, "hello")
        for content, digest in (
            (b"", "af1349b9f5f9a1a6a0404dea36dcc9499bcb25c9adc112b7cc9a93cae41f3262"),
            (b"abc", "6437b3ac38465133ffb63b75273a8db548c558465d79db03fd359c6cd5bd9d85"),
        ):
            pathlib.Path(path).write_bytes(content)
            for given in path, pathlib.Path(path), os.fsencode(path):
                artifact = await ferry.digest_file(given, tags=["t"])
                assert artifact == ferry.Artifact(path, digest, ["t"]), artifact
        pathlib.Path(path).write_bytes(b"x" * 3_000_000)
        assert (await ferry.digest_file(path)).tags == []
asyncio.run(main())
"#,
    );
}

#[test]
fn what_cannot_be_read_raises_what_open_would() {
    check(
        r#"
import tempfile
async def main():
    with tempfile.TemporaryDirectory() as folder:
        for path in folder, folder + "/missing", folder + "/a/b", "nul\0byte":
            try:
                open(path)
            except (OSError, ValueError) as error:
                expected = error
            try:
                await ferry.digest_file(path)
            except (OSError, ValueError) as error:
                assert type(error) is type(expected), (path, error, expected)
                assert str(error) == str(expected), (error, expected)
                if isinstance(error, OSError):
                    assert (error.errno, error.filename) == (expected.errno, path)
            else:
                assert False, path
    try:
        ferry.digest_file(3)
    except TypeError:
        pass
    else:
        assert False, "a number is no path"
asyncio.run(main())
"#,
    );
}

#[test]
fn cancelling_it_stops_the_reading() {
    // A pipe that nobody writes to holds the job in its open; it ends once a writer has come and gone.
    check(
        r#"
import os, tempfile
async def main():
    with tempfile.TemporaryDirectory() as folder:
        aws = []
        pipe = os.path.join(folder, "pipe")
        os.mkfifo(pipe)
        aw = ferry.digest_file(pipe)
        writer = await asyncio.to_thread(open, pipe, "wb", buffering=0)
        aw.cancel("enough")
        try:
            await aw
        except asyncio.CancelledError as error:
            assert error.args == ("enough",)
        # The job looks whether somebody waits after each read: its end closes the pipe.
        def write_until_closed():
            while True:
                writer.write(b"x")
        try:
            await asyncio.wait_for(asyncio.to_thread(write_until_closed), 60)
        except BrokenPipeError:
            pass
        else:
            assert False
        finally:
            writer.close()
asyncio.run(main())
"#,
    );
}
