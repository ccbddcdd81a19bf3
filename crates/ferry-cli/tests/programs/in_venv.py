import sys

import only_in_this_environment

print(only_in_this_environment.VALUE, sys.prefix, sys.base_prefix, sys.executable, sys.path)
