"""Which files of a folder may go into the archive? Python asks, Rust hashes, and the rules are in Wren.

    ferry run examples/archive/main.py examples/archive/rules.wren [FOLDER]
"""

import sys
from pathlib import Path

import asyncferry as ferry

pool = ferry.default_pool()


async def digest(path: Path) -> dict:
    """What the rules are asked about: the hash is made on a thread of Rust's."""
    job = await pool.submit_async("digest", str(path))
    made = ferry.Artifact(**await job)
    return {"name": path.name, "size": path.stat().st_size, "digest": made.content_hash}


folder = Path(sys.argv[1]) if len(sys.argv) > 1 else Path(__file__).parent.parent.parent / "docs"
files = sorted(path for path in folder.iterdir() if path.is_file())

# Whatever was refused is told as it comes, by the script that has the rules.
refusals = ferry.Queue.named("refusals", 4)
for file in await ferry.gather(*(digest(path) for path in files)):
    judgement = await pool.submit("judge", file)
    mark = "ok" if judgement["ok"] else "NO"
    print(f"{mark}  {file['digest'][:12]}  {file['size']:>8}  {file['name']}")
    if not judgement["ok"]:
        await refusals.put({"name": file["name"], "reason": judgement["reason"]})
refusals.shutdown()
await refusals.join()
print(await pool.submit("summary"))
