import asyncio
import sys

print("ready", flush=True)
line = await asyncio.to_thread(sys.stdin.readline)
print("heard", line.strip())
