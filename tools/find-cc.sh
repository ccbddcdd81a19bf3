#!/bin/sh
# Cargo's linker on Linux (see .cargo/config.toml): the system's C compiler, exactly as without this file.
# Where there is none, rustc would only say that `cc` was not found; this says what to install.
if command -v cc >/dev/null 2>&1; then
    exec cc "$@"
fi
if [ -n "${CC:-}" ]; then
    # Unquoted on purpose: CC may carry arguments, as in "ccache gcc".
    exec $CC "$@"
fi
for compiler in gcc clang; do
    if command -v "$compiler" >/dev/null 2>&1; then
        exec "$compiler" "$@"
    fi
done

install="Install gcc with your system's package manager"
if command -v apt-get >/dev/null 2>&1; then
    install="Install one with: apt-get install gcc libc6-dev"
elif command -v dnf >/dev/null 2>&1; then
    install="Install one with: dnf install gcc"
elif command -v apk >/dev/null 2>&1; then
    install="Install one with: apk add gcc musl-dev"
elif command -v pacman >/dev/null 2>&1; then
    install="Install one with: pacman -S gcc"
fi
echo "Ferry needs a C compiler to link programs, and none was found on PATH (looked for cc, \$CC, gcc and clang). $install" >&2
exit 1
