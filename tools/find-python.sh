#!/bin/sh
# The interpreter that PyO3's build script asks about itself, unless PYO3_PYTHON names another: the first one
# that Ferry can embed. Where there is none, PyO3 would only say that it found no Python, or the linker that
# a library is missing; this says what to install. (.cargo/config.toml sets PYO3_PYTHON to this script.)
usable='
import os, sys, sysconfig
var = sysconfig.get_config_var
library = os.path.join(var("LIBDIR") or "", var("LDLIBRARY") or "?")
shared = var("PYTHONFRAMEWORK") or (var("Py_ENABLE_SHARED") and os.path.exists(library))
sys.exit(0 if sys.version_info >= (3, 11) and sys.implementation.name == "cpython" and shared else 1)
'
seen=""
for python in "${VIRTUAL_ENV:+$VIRTUAL_ENV/bin/python}" "${CONDA_PREFIX:+$CONDA_PREFIX/bin/python}" \
    python python3 python3.14 python3.13 python3.12 python3.11; do
    if [ -n "$python" ] && command -v "$python" >/dev/null 2>&1; then
        # Standard input is left alone: PyO3 sends its question there.
        if "$python" -c "$usable" </dev/null >/dev/null 2>&1; then
            exec "$python" "$@"
        fi
        seen="$seen $(command -v "$python")"
    fi
done

install="Install Python 3.11 or newer, with its headers and shared library, with your system's package manager"
if command -v apt-get >/dev/null 2>&1; then
    install="Install one with: apt-get install python3-dev"
elif command -v dnf >/dev/null 2>&1; then
    install="Install one with: dnf install python3-devel"
elif command -v apk >/dev/null 2>&1; then
    install="Install one with: apk add python3-dev"
elif command -v pacman >/dev/null 2>&1; then
    install="Install one with: pacman -S python"
fi
if command -v pyenv >/dev/null 2>&1; then
    install="$install (or: PYTHON_CONFIGURE_OPTS=--enable-shared pyenv install 3.13)"
fi
echo "Ferry embeds Python 3.11 or newer, with its shared library, and none was found (looked at:${seen:- nothing on PATH}). $install. To use another one: PYO3_PYTHON=/path/to/python3 cargo build" >&2
exit 1
