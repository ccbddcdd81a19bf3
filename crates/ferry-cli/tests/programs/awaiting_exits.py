import asyncio
import sys

try:
    await asyncio.sleep(0)
    sys.exit(11)
finally:
    print("finally")
