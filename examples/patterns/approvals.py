"""A human in the loop: an agent asks for an approval and waits until somebody decides, or for so long.

    python examples/patterns/approvals.py

The decisions come from a thread here, as they would from a web framework or a chat.
"""

import asyncio

from asyncferry.patterns import PendingRequests

approvals = PendingRequests(limit=100)


async def agent(approval_id, action, timeout):
    try:
        decision = await approvals.request(approval_id, timeout)
    except TimeoutError:
        decision = {"approved": False, "by": "nobody, in time"}
    verdict = "goes ahead" if decision["approved"] else "is not done"
    return f"{action} {verdict} (decided by {decision['by']})"


def humans():
    """Decides what is asked, and hears what became of the decision."""
    answer("a-1", approved=True, by="Ada")
    answer("a-2", approved=False, by="Grace")
    answer("a-1", approved=False, by="Grace")
    answer("a-9", approved=True, by="Ada")


def answer(approval_id, **decision):
    # A decision that has no effect is told from one that has: no human believes in vain that it was heard.
    told = approvals.answer(approval_id, decision)
    print(f"{decision['by']} decides {approval_id}: {told.value}")


async def main():
    async with asyncio.TaskGroup() as group:
        agents = [
            group.create_task(agent("a-1", "deploying", 10)),
            group.create_task(agent("a-2", "deleting the logs", 10)),
            group.create_task(agent("a-3", "sending the mail", 0.2)),
        ]
        # The agents ask first.
        while len(approvals) < len(agents):
            await asyncio.sleep(0)
        await asyncio.to_thread(humans)
    for each in agents:
        print(each.result())
    answer("a-3", approved=True, by="Ada")


asyncio.run(main())
