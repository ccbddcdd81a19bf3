import signal
import sys

try:
    # The signal is held back until it is there, so that it always strikes in the same line.
    signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    print("ready", flush=True)
    while signal.SIGINT not in signal.sigpending():
        pass
    signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGINT})
except KeyboardInterrupt:
    if "catch" in sys.argv:
        print("caught")
        sys.exit(3)
    raise
finally:
    print("finally")
