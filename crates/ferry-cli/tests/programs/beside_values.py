"""Values, tasks and functions cross between Python and beside.wren, both ways."""

import asyncferry as ferry

pool = ferry.default_pool()

for value in [None, True, 7, 1.5, "text", b"\xff", [1, [2]], {"a": None}]:
    assert await pool.submit("echo", value) == value, value

event = ferry.Event()
(await pool.submit("echo", event)).set()
assert event.is_set()
queue = await pool.submit("echo", ferry.Queue.named("of beside_values.py", 4))
await queue.put([1])
assert await ferry.Queue.named("of beside_values.py").get() == [1]
lock = await pool.submit("echo", ferry.Lock.named("of beside_values.py, too"))
async with lock:
    assert ferry.Lock.named("of beside_values.py, too").locked()

assert await (await pool.submit("task", 5)) == "of a task"
double = await pool.submit("double")
assert await double(21) == 42
assert await (await pool.submit("echo", double))(2) == 4
assert isinstance(double, ferry.Callback)


async def coroutine(value):
    await ferry.sleep(0.001)
    return {"got": value}


pool.register("coroutine", coroutine)
assert await pool.submit("ask", "coroutine", [1]) == {"got": [1]}

try:
    queue.put_nowait(object())
except TypeError as error:
    print(error.args[0][:42])
print("done")
