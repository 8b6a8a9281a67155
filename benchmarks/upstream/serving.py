"""A process that loads a system once and then writes reports: a JSON line of films in, a JSON line of seconds and reports out."""

from __future__ import annotations

import importlib.util
import json
import os
import re
import resource
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from importlib.abc import Loader, MetaPathFinder
from importlib.machinery import ModuleSpec, PathFinder, SourceFileLoader
from types import ModuleType
from typing import Any

Job = Mapping[str, Any]
"""What the parent says first: `weights` by name, `threads`, `clone`, and what a driver needs besides."""
Write = Callable[[Sequence[str]], Sequence[Any]]
"""Films to one report each, or to what a report is made from."""


def serve(load: Callable[[Job], Write]) -> None:
    """Answer until the parent closes the line; what the published code prints goes to standard error."""
    answers = os.fdopen(os.dup(1), "w", encoding="utf-8")
    os.dup2(2, 1)
    job = json.loads(sys.stdin.readline())
    import torch

    torch.set_num_threads(job["threads"])
    start = time.perf_counter()
    write = load(job)
    _answer(answers, {"seconds": time.perf_counter() - start, "torch": torch.__version__, "python": sys.version.split()[0]})
    for line in sys.stdin:
        start, work = time.perf_counter(), time.process_time()
        reports = list(write(json.loads(line)))
        spent = {"seconds": time.perf_counter() - start, "work": time.process_time() - work}
        _answer(answers, {**spent, "reports": reports, "memory": _memory()})


def _answer(stream: Any, what: Mapping[str, Any]) -> None:
    stream.write(json.dumps(what) + "\n")
    stream.flush()


def _memory() -> float:
    """Largest memory of this process so far, in GB."""
    unit = 1e9 if sys.platform == "darwin" else 1e6
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / unit


def use_clone(clone: str, changes: Mapping[str, Sequence[tuple[str, str]]], absent: Sequence[str] = ()) -> None:
    """Make a clone's modules importable.

    Args:
        clone: Its folder; nothing is written there.
        changes: By module, patterns and what replaces them in its source: sizes, where random weights are small.
        absent: Packages that are imported but not used; replaced by stubs where they are not installed.
    """
    sys.dont_write_bytecode = True
    sys.path.insert(0, clone)
    os.chdir(clone)
    sys.meta_path.insert(0, Changing(changes))
    sys.meta_path.append(StandingIn([name for name in absent if importlib.util.find_spec(name) is None]))


def hollow(name: str, folder: str) -> None:
    """A package whose modules can be imported without running its `__init__`, which imports all there is."""
    package = ModuleType(name)
    package.__path__ = [folder]
    sys.modules[name] = package


class Changing(MetaPathFinder):
    """Finds the modules whose source is changed."""

    def __init__(self, changes: Mapping[str, Sequence[tuple[str, str]]]) -> None:
        self.changes = changes

    def find_spec(self, fullname: str, path: Sequence[str] | None, target: ModuleType | None = None) -> ModuleSpec | None:
        """As the usual finder, with another loader."""
        spec = PathFinder.find_spec(fullname, path) if fullname in self.changes else None
        if spec is None or spec.origin is None:
            return None
        spec.loader = ChangedSource(fullname, spec.origin, self.changes[fullname])
        return spec


class ChangedSource(SourceFileLoader):
    """Compiles a changed source."""

    def __init__(self, fullname: str, path: str, changes: Sequence[tuple[str, str]]) -> None:
        super().__init__(fullname, path)
        self.changes = changes

    def get_code(self, fullname: str) -> Any:
        """Never from a compiled file, which holds the unchanged source."""
        path = self.get_filename(fullname)
        source = self.get_data(path).decode()
        for pattern, new in self.changes:
            source, found = re.subn(pattern, new, source)
            if not found:
                raise SystemExit(f"{path} is not as published: it has no {pattern}")
        return self.source_to_code(source.encode(), path)


class Stub(ModuleType):
    """Has every name: an empty class."""

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):
            raise AttributeError(name)
        return type(name, (), {})


class StandingIn(MetaPathFinder, Loader):
    """Finds packages that are not there."""

    def __init__(self, names: Sequence[str]) -> None:
        self.names = names

    def find_spec(self, fullname: str, path: Sequence[str] | None, target: ModuleType | None = None) -> ModuleSpec | None:
        """A spec for an absent package and for its modules."""
        return ModuleSpec(fullname, self, is_package=True) if fullname.split(".")[0] in self.names else None

    def create_module(self, spec: ModuleSpec) -> ModuleType:
        """An empty one."""
        return Stub(spec.name)

    def exec_module(self, module: ModuleType) -> None:
        """There is nothing to run."""
