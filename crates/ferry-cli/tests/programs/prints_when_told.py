import sys

sys.stdin.readline()
try:
    print("nobody reads this", flush="flush" in sys.argv)
except BrokenPipeError:
    if "catch" not in sys.argv:
        raise
    sys.stdout = None
    sys.exit(8)
