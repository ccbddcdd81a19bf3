"""What a program finds around it when its first line runs."""
import sys

print(sys.argv, sys.orig_argv)
print(sys.path)
print(sys.flags)
print(sys.executable, sys.prefix, sys.base_prefix, sys.stdout.encoding)
print(__name__, __file__, __doc__, __spec__, __package__, __cached__, __annotations__)
print(type(__loader__).__name__, __loader__.name, __loader__.path)
print(sorted(globals()))
print(sys.modules["__main__"].__dict__ is globals(), __builtins__)
