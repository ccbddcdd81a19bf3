"""A job in a child that was forked after the parent's first one: refused, where it would hang."""

import os

import asyncferry as ferry

await ferry.sleep(0)
child = os.fork()
if child == 0:
    try:
        ferry.sleep(0)
    except RuntimeError as error:
        os._exit(7 if "forked" in str(error) else 8)
    os._exit(9)
print(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]))
await ferry.sleep(0)
