"""Modules that have no file, but a text in the program: the Python parts of the package asyncferry."""

import importlib.abc
import importlib.util
import sys


def add_modules(sources):
    """Has the modules of these names imported from their texts."""
    sys.meta_path.append(Texts(sources))


class Texts(importlib.abc.MetaPathFinder, importlib.abc.InspectLoader):
    """Finds modules in a dictionary of texts, and loads them from there. Tracebacks show their lines."""

    def __init__(self, sources):
        self.sources = sources

    def find_spec(self, name, path=None, target=None):
        if name not in self.sources:
            return None
        return importlib.util.spec_from_loader(name, self, origin=file_of(name), is_package=self.is_package(name))

    def is_package(self, name):
        return any(other.startswith(name + ".") for other in self.sources)

    def get_source(self, name):
        return self.sources[name]

    def get_code(self, name):
        return self.source_to_code(self.sources[name], file_of(name))


def file_of(name):
    """What tracebacks call it. A name in brackets alone would have them leave its lines out."""
    package, _, module = name.partition(".")
    return f"<{package}>/{module.replace('.', '/')}.py"
