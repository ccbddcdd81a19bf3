"""Fails in the way that its argument names, for the traceback."""
import json
import sys
import warnings


def inner(value):
    return 1 / value


def chained():
    try:
        inner(0)
    except ZeroDivisionError as error:
        raise RuntimeError("outer") from error


def endless():
    endless()


def group():
    raise ExceptionGroup("several", [ValueError("one"), TypeError("two")])


def in_library():
    json.loads("{")


def noted():
    error = KeyError("k")
    error.add_note("a note")
    raise error


def warned():
    warnings.warn("watch out", stacklevel=1)


def compiled():
    compile("x = (", "made.py", "exec")


globals()[sys.argv[1]]()
