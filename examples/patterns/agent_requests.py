"""Agents that ask each other over a connection: requests go out with an id, responses come back in any order.

    python examples/patterns/agent_requests.py
"""

import asyncio
import itertools

import asyncferry as ferry
from asyncferry.patterns import Answer, BackgroundTasks, PendingRequests


class Client:
    """Sends tasks, and hands each response to who waits for it."""

    def __init__(self, outgoing, incoming):
        self.outgoing, self.incoming = outgoing, incoming
        self.requests = PendingRequests()
        self.ids = itertools.count(1)

    async def send_task(self, timeout=1, **payload):
        task_id = next(self.ids)
        # Registered before it's sent: however fast the response comes, somebody waits for it.
        with self.requests.register(task_id) as pending:
            await self.outgoing.put({"task_id": task_id, **payload})
            return await pending.wait(timeout)

    async def receive(self):
        while True:
            response = await self.incoming.get()
            task_id = response["task_id"]
            if "error" in response:
                told = self.requests.fail(task_id, RuntimeError(response["error"]))
            else:
                told = self.requests.answer(task_id, response["result"])
            if told is not Answer.DELIVERED:
                print(f"the response to task {task_id} is {told.value}")


async def other_agent(incoming, outgoing):
    """Works on several tasks at once, so its responses come in an order of their own."""

    async def work(task):
        await asyncio.sleep(task["takes"])
        if task["what"] == "divide by zero":
            await outgoing.put({"task_id": task["task_id"], "error": "it can't be done"})
        else:
            await outgoing.put({"task_id": task["task_id"], "result": task["what"].upper()})

    async with BackgroundTasks() as background:
        while True:
            background.spawn(work(await incoming.get()))


async def main():
    there, back = ferry.Queue(100), ferry.Queue(100)
    client = Client(there, back)
    background = BackgroundTasks()
    background.spawn(client.receive())
    background.spawn(other_agent(there, back))

    slow, fast = await asyncio.gather(
        client.send_task(what="slow question", takes=0.2), client.send_task(what="fast question", takes=0.1)
    )
    print(f"{slow}, {fast}")
    for what, takes in [("divide by zero", 0), ("too slow", 0.3)]:
        try:
            print(await client.send_task(what=what, takes=takes, timeout=0.2))
        except (RuntimeError, TimeoutError) as error:
            print(f"{what}: {error}")
    # The response that comes too late is no riddle.
    await asyncio.sleep(0.2)
    background.cancel_all()
    await background.join()


asyncio.run(main())
