"""Runs a WASI program in wasmtime: `python wasi.py PROGRAM.wasm [ARGS...]`.

A module (wasip1) or a component (wasip2, with wasi:http); with this process's streams and variables, the current
directory as `.`, and an empty one as `/tmp`. Ends with the program's exit code.
"""

import os
import sys
import tempfile

import wasmtime
from wasmtime import component

COMPONENT = 13
MODULE = 1


def main(program: str, *arguments: str) -> int:
    config = wasmtime.WasiConfig()
    config.argv = [program, *arguments]
    config.env = list(os.environ.items())
    config.inherit_stdin()
    config.inherit_stdout()
    config.inherit_stderr()
    config.preopen_dir(".", ".")
    scratch = tempfile.TemporaryDirectory()
    config.preopen_dir(scratch.name, "/tmp")
    with open(program, "rb") as file:
        code = file.read()
    if code[:4] != b"\0asm":
        print(f"wasi.py: {program} is no WebAssembly.", file=sys.stderr)
        return 2
    store = wasmtime.Store(wasmtime.Engine())
    store.set_wasi(config)
    run = run_module if code[4] == MODULE else run_component
    try:
        run(store, code)
    except wasmtime.ExitTrap as end:
        return end.code
    except wasmtime.WasmtimeError as error:
        # A component ends so, where a module has an ExitTrap.
        if "exit" in str(error):
            return 1
        raise
    return 0


def run_module(store: wasmtime.Store, code: bytes) -> None:
    linker = wasmtime.Linker(store.engine)
    linker.define_wasi()
    instance = linker.instantiate(store, wasmtime.Module(store.engine, code))
    instance.exports(store)["_start"](store)


def run_component(store: wasmtime.Store, code: bytes) -> None:
    store.set_wasi_http()
    linker = component.Linker(store.engine)
    linker.add_wasip2()
    linker.add_wasi_http()
    program = component.Component(store.engine, code)
    instance = linker.instantiate(store, program)
    for version in range(12):
        interface = instance.get_export_index(store, f"wasi:cli/run@0.2.{version}")
        if interface is not None:
            start = instance.get_func(store, instance.get_export_index(store, "run", interface))
            return start(store)
    raise SystemExit("wasi.py: the component exports no wasi:cli/run@0.2.")


if __name__ == "__main__":
    if len(sys.argv) < 2:
        raise SystemExit("usage: wasi.py PROGRAM.wasm [ARGS...]")
    raise SystemExit(main(*sys.argv[1:]))
