import asyncio

await asyncio.sleep(0)
print("ready", flush=True)
try:
    task = asyncio.current_task()
    while not task.cancelling():
        pass
    print("cancelling", flush=True)
    while True:
        pass
finally:
    print("finally")
