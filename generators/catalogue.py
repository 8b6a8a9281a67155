"""Every system that writes reports: what it needs, where its code is, what was published of it. One entry a system."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from importlib import import_module
from pathlib import Path

from generators.weights import Weights, locate, random_ones
from harness.config.home import pip_install
from harness.errors import Problem, UnavailableError, UsageError
from harness.formats.written_by import RANDOM
from harness.registry import Registry, near
from harness.types import Access, Cohort, Generator, Role, Section


@dataclass(frozen=True, slots=True)
class Options:
    """How a system is run on this machine."""

    weights: Mapping[str, Path] = field(default_factory=dict)
    """By the name of `Weights`; already located."""
    device: str = "cpu"
    """`cpu`, `cuda`, `cuda:1`, `mps`."""
    precision: str = "float32"
    """`float32`, `bfloat16` or `float16`."""
    seed: int = 0
    """The seed of sampling, where a system samples."""
    settings: Mapping[str, str] = field(default_factory=dict)
    """What only this system knows: `--set KEY=VALUE`."""
    access: Access = Access.CREDENTIALED
    """Access of the films that it reads: whether they may leave this machine."""
    entry: System | None = None
    """The catalogue's entry that is built, where one function builds several; `make` sets it."""

    @property
    def system(self) -> System:
        """The catalogue's entry that is built.

        Raises:
            UsageError: The options were not given by `make`.
        """
        if self.entry is None:
            raise UsageError("which entry of the catalogue is meant? Build it with generators.catalogue.make")
        return self.entry

    def number(self, name: str, default: int, least: int = 1) -> int:
        """A setting that is a whole number.

        Raises:
            UsageError: It is none, or less than the least.
        """
        text = self.settings.get(name, str(default))
        if not (text.isascii() and text.isdecimal()) or int(text) < least:
            raise UsageError(f"{name} is a number from {least}, not {text!r}")
        return int(text)


@dataclass(frozen=True, slots=True, kw_only=True)
class System:
    """One entry of the catalogue."""

    name: str
    make: str
    """`module:function`; the function takes `Options`, whose `system` is this entry, and returns a `Generator`."""
    summary: str
    """One line for people."""
    writes: Section
    needs: frozenset[str] = frozenset({"frontal"})
    role: Role = Role.SYSTEM
    weights: tuple[Weights, ...] = ()
    memory: str = ""
    """What it takes to run, as measured or computed from its size."""
    seconds: float = 0.0
    """Seconds of one processor for one film, measured at full size in float32; 0 where nobody has measured."""
    paper: str = ""
    """Its publication, and the address of its code."""
    licence: str = ""
    settings: Mapping[str, str] = field(default_factory=dict)
    """By setting what it means."""
    random_weights: str = ""
    """`module:function`; the function takes a folder and writes small random weights in the released layout, by the names of `weights`."""
    random_settings: Mapping[str, str] = field(default_factory=dict)
    """Settings that differ from the published ones when the weights are random."""
    unavailable: str = ""
    """Why nobody can run it; empty where it can be run. Where it has `weights` all the same, a user who gives them is heard."""
    mark: str = ""
    """`module:function` that takes `Options` and a cohort, and returns what the name must end with there; mostly there is none."""


def catalogue() -> dict[str, System]:
    """Every system by name: those of `MODULES`, then those of other packages, whose entry points name a `System`."""
    found: dict[str, System] = {}
    for module in MODULES:
        loaded = import_module(module)
        for system in getattr(loaded, "SYSTEMS", None) or (loaded.SYSTEM,):
            found[system.name] = system
    for name in ADDED:
        found.setdefault(name, _added(name))
    return found


ADDED = Registry("generator", {})
"""What other packages add."""


def _added(name: str) -> System:
    """A system of another package; where the package cannot be imported, an entry that says so."""
    try:
        system = ADDED.find(name)
        if isinstance(system, System):
            return replace(system, name=name)
        reason = f"{ADDED[name]} is not a generators.catalogue.System"
    except UnavailableError as error:
        reason = str(error)
    return System(name=name, make=ADDED[name], summary="of another package", writes=Section.FINDINGS, unavailable=reason)


MODULES: tuple[str, ...] = (
    "generators.bounds.floors",
    "generators.r2gengpt.system",
    "generators.xraygpt.system",
    "generators.baseline.trained",
    "generators.promptmrg.system",
    "generators.libra.system",
    "generators.rgrg.system",
    "generators.adapters.replay",
    "generators.adapters.command",
    "generators.adapters.rexrank",
    "generators.adapters.openai_server",
    "generators.adapters.hub_model",
    "generators.llm_rg4.system",
    "generators.adapters.medkit",
    "generators.chat_models.chexone",
    "generators.chat_models.medgemma",
    "generators.maira2.system",
    "generators.cxrmate2.system",
    "generators.not_runnable",
)
"""Files with entries; none of them imports torch at its top."""


def find(name: str) -> System:
    """One entry.

    Raises:
        UsageError: There is no such system.
    """
    known = catalogue()
    if name in known:
        return known[name]
    raise UsageError(f"there is no system {name!r}{near(name, known)}. `ranscore systems list` shows all")


def title(system: System, options: Options, cohort: Cohort | None = None) -> str:
    """What reports and records call a system: with random weights it is another one, and says so wherever its name is shown.

    Args:
        system: Its entry.
        options: How it is run.
        cohort: What it is run on, where the name must say something about that.
    """
    random = options.settings.get("size") == "tiny" or random_ones(system.name, system.weights, options.weights)
    module, _, function = system.mark.partition(":")
    mark: str = getattr(import_module(module), function)(options, cohort) if module and cohort else ""
    return system.name + (RANDOM if random else mark)


def make(system: System, options: Options) -> Generator:
    """Build a system with its weights.

    Raises:
        UnavailableError: Nobody can run it, or its weights or a package are not here.
        UsageError: It does not know a setting.
    """
    ready = checked(system, options)
    module, _, function = system.make.partition(":")
    with packages(system.name):
        made: Generator = getattr(import_module(module), function)(replace(ready, entry=system))
    return made


@contextmanager
def packages(system: str) -> Iterator[None]:
    """Say of a package that the light install leaves out who needs it, and how to get it.

    Raises:
        UnavailableError: It is not installed.
    """
    try:
        yield
    except ModuleNotFoundError as error:
        what = f"{system} needs the package {(error.name or 'torch').partition('.')[0]}, which is not installed"
        raise UnavailableError(Problem(what, f"Run `{pip_install('torch')}`")) from error


def checked(system: System, options: Options) -> Options:
    """The options with the place of every weight; nothing is loaded.

    Raises:
        UnavailableError: Nobody can run it, or its weights are not here.
        UsageError: It does not know a setting or the name of a file, or is made from a cohort.
    """
    if system.unavailable and not any(item.name in options.weights for item in system.weights):
        raise UnavailableError(f"{system.name} cannot be run: {system.unavailable}")
    unknown = sorted(set(options.settings) - set(system.settings))
    if unknown:
        known = ", ".join(system.settings) or "none"
        raise UsageError(f"{system.name} has no setting {', '.join(unknown)}; it has {known}")
    strange = sorted(set(options.weights) - {item.name for item in system.weights})
    if strange:
        named = ", ".join(item.name for item in system.weights) or "none"
        raise UsageError(f"{system.name} has no weights {', '.join(strange)}; it has {named}")
    return replace(options, weights=locate(system.name, system.weights, options.weights))


def device(name: str) -> str:
    """The device that `auto` stands for; torch is asked only where it is installed."""
    from importlib.util import find_spec

    if name != "auto":
        return name
    if find_spec("torch") is None:
        return "cpu"
    import torch

    return "cuda" if torch.cuda.is_available() else "mps" if torch.backends.mps.is_available() else "cpu"
