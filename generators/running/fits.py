"""What this machine can hold, and how long a cohort would take: from a system's stated memory and this machine's own speed."""

from __future__ import annotations

import re
import time
from collections.abc import Mapping
from dataclasses import dataclass

from generators.catalogue import System

TOKENS = 150
"""Words and pieces of words of a usual report of findings and impression."""
SPARE = 0.9
"""The part of memory that a system may take; the rest is for films and for the other programs."""


@dataclass(frozen=True, slots=True)
class MachineSpeed:
    """One place where a system can run: the processors or a GPU."""

    name: str
    memory: float
    """GB that are there at all."""
    bandwidth: float
    """GB a second in which weights can be read, as measured."""
    cores: int = 1
    """Processors; 0 for a GPU."""


@dataclass(frozen=True, slots=True)
class Fit:
    """Whether a system can run in one place."""

    precision: str
    """The precision in which it fits; empty where it fits in none."""
    needed: float
    """GB in that precision, else the least that it needs."""
    hours: float
    """At least so many hours for the films; 0 where nothing is known."""
    measured: bool
    """Whether the hours come from a measured run, not from the speed of memory."""


def needs(memory: str) -> Mapping[str, float]:
    """By precision the GB that a catalogue's entry states; under an empty name where it states one number for all."""
    found: dict[str, float] = {}
    for part in memory.split(","):
        if amount := re.search(r"([\d.]+) GB", part):
            named = re.findall(r"bfloat16|float16|float32", part)
            found |= dict.fromkeys([item for item in named if not (item == "float16" and "bfloat16" in named)] or [""], float(amount[1]))
    return found


def fit(system: System, place: MachineSpeed, films: int = 3000) -> Fit | None:
    """Whether a system fits into a place; None where its entry does not state its memory as a number."""
    stated = needs(system.memory)
    if not stated:
        return None
    order = [name for name in ("", "bfloat16", "float16", "float32") if name in stated]
    if place.cores:  # processors compute in float32 as published; half precision only where that does not fit
        order = [name for name in ("", "float32", "bfloat16", "float16") if name in stated]
    fitting = next((name for name in order if stated[name] <= place.memory * SPARE), None)
    if fitting is None:
        return Fit("", min(stated.values()), 0.0, False)
    if place.cores and system.seconds:
        return Fit(fitting or "float32", stated[fitting], films * system.seconds / 3600, True)
    # Each token reads all weights once, so memory's speed is the bound; beams and films come on top.
    return Fit(fitting or "float32", stated[fitting], films * TOKENS * stated[fitting] / place.bandwidth / 3600, False)


def places() -> tuple[MachineSpeed, ...]:
    """The processors, and each GPU that torch sees; the speed of memory is measured, which takes a moment."""
    return (_processors(), *_gpus())


def _processors() -> MachineSpeed:
    import os

    import numpy as np

    names = getattr(os, "sysconf_names", {})
    known = "SC_PHYS_PAGES" in names and "SC_PAGE_SIZE" in names
    memory = os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE") / 1e9 if known else 0.0
    block = np.ones(32 << 20, np.float32)
    block.sum()
    begun = time.perf_counter()
    block.sum()
    return MachineSpeed("processors", memory, block.nbytes / 1e9 / max(time.perf_counter() - begun, 1e-6), os.cpu_count() or 1)


def _gpus() -> tuple[MachineSpeed, ...]:
    from importlib.util import find_spec

    if find_spec("torch") is None:
        return ()
    import torch

    made = []
    for number in range(torch.cuda.device_count() if torch.cuda.is_available() else 0):
        _, total = torch.cuda.mem_get_info(number)
        block = torch.ones(256 << 20, device=f"cuda:{number}")
        block.sum().item()
        begun = time.perf_counter()
        block.sum().item()
        speed = block.nbytes / 1e9 / max(time.perf_counter() - begun, 1e-6)
        made.append(MachineSpeed(torch.cuda.get_device_name(number), total / 1e9, speed, 0))
    return tuple(made)
