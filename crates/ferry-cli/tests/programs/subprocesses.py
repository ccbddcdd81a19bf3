"""Starts Pythons of its own."""
import asyncio
import os
import subprocess
import sys

CODE = "import sys; print(sys.argv, sys.version_info[:2], sys.prefix); sys.exit(7)"

done = subprocess.run([sys.executable, "-c", CODE, "x"], capture_output=True, text=True)
print(done.returncode, done.stdout, done.stderr)


async def main():
    process = await asyncio.create_subprocess_exec(sys.executable, "-c", CODE, stdout=subprocess.PIPE)
    output, _ = await process.communicate()
    print(process.returncode, output)


asyncio.run(main())
sys.stdout.flush()
if (child := os.fork()) == 0:
    print("in the child", sys.argv)
    sys.exit(9)
print(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]))
sys.stdout.flush()
os.execv(sys.executable, [sys.executable, "-c", "print('became python')"])
