"""Ends in the way that its argument names."""
import atexit
import os
import sys
import threading



class Failing:
    """Its repr is the same in every process, unlike a function's."""

    def __repr__(self):
        return "Failing()"

    def __call__(self):
        return 1 / 0


atexit.register(print, "atexit ran")
way = sys.argv[1]
print("way:", way)
if way == "exit":
    sys.exit()
elif way == "exit_int":
    sys.exit(3)
elif way == "exit_negative":
    sys.exit(-1)
elif way == "exit_large":
    sys.exit(259)
elif way == "exit_text":
    sys.exit("no good")
elif way == "exit_tuple":
    raise SystemExit(1, "two")
elif way == "os_exit":
    os._exit(5)
elif way == "in_thread":
    thread = threading.Thread(target=sys.exit, args=(4,))
    thread.start()
    thread.join()
elif way == "in_hook":
    sys.excepthook = lambda *caught: sys.exit(6)
    raise ValueError("never seen")
elif way == "hook":
    sys.excepthook = lambda kind, value, traceback: print("hook:", kind.__name__, value, file=sys.stderr)
    raise ValueError("seen by the hook")
elif way == "interrupt":
    raise KeyboardInterrupt
elif way == "interrupt_subclass":
    raise type("MyInterrupt", (KeyboardInterrupt,), {})("mine")
elif way == "atexit_fails":
    atexit.register(Failing())
