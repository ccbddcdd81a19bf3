"""Tasks in the background that don't vanish, and don't fail in silence.

    python examples/patterns/background_tasks.py
"""

import asyncio

from asyncferry.patterns import BackgroundTasks


async def send_mail(to):
    await asyncio.sleep(0.05)
    print(f"mail sent to {to}")


async def refresh_cache():
    await asyncio.sleep(0.1)
    raise ConnectionError("the cache is gone")


async def report_metrics():
    while True:
        await asyncio.sleep(0.08)
        print("metrics reported")


def failed(name, error):
    """Without this, the event loop's exception handler logs it."""
    print(f"{name} failed: {error!r}")


async def main():
    background = BackgroundTasks(limit=100, on_failure=failed)
    background.spawn(send_mail("ada@example.org"))
    background.spawn(refresh_cache(), name="cache refresh")
    background.spawn(report_metrics(), name="metrics")
    print(f"running: {', '.join(background.names())}")
    await asyncio.sleep(0.2)
    print(f"still running: {', '.join(background.names())}")
    background.cancel_all()
    await background.join()
    print(f"{len(background)} left")


asyncio.run(main())
