"""Which system wrote a reports file, as the run that wrote it says in `FILE.run.json` beside it."""

from __future__ import annotations

import json
from pathlib import Path

from harness.errors import InputError, Problem

RANDOM = " (random weights)"
"""Ends the name of a system that was run with random weights, everywhere."""
BASELINE = "trained-baseline"
"""The system that is trained here, mostly on the synthetic cohort."""
DRAWN = " (learned from drawings)"
"""Ends the name of a system that has only seen drawn films, on a cohort of real ones."""


def sidecar(reports: Path) -> Path:
    """Where a run keeps its plan: system, digests, studies."""
    return reports.with_name(reports.name + ".run.json")


def system_of(reports: Path) -> str:
    """The system's name by the run's plan; empty where no run wrote the file.

    Raises:
        InputError: There is a plan, and it cannot be read.
    """
    path = sidecar(reports)
    try:
        plan = json.loads(path.read_text(encoding="utf-8"))
        return str(plan["system"])
    except FileNotFoundError:
        return ""
    except (OSError, ValueError, KeyError, TypeError) as error:
        what = f"it is not the plan of a run ({type(error).__name__}), so nobody knows which system wrote the reports"
        raise InputError(Problem(what, "Restore it; or move it away, if no run wrote the reports", str(path))) from None


def name_of(reports: Path, chosen: str = "") -> str:
    """What a record calls the system that wrote a reports file.

    Args:
        reports: The file.
        chosen: The name that somebody chose. The mark of random weights, and of drawings, is kept under it.

    Returns:
        The chosen name, else the one of the run, else the file's.

    Raises:
        InputError: There is a plan of a run beside the file, and it cannot be read.
    """
    system = system_of(reports)
    mark = next((mark for mark in (RANDOM, DRAWN) if system.endswith(mark)), "")
    return chosen.removesuffix(mark) + mark if chosen else system or reports.stem
