"""Loading one system strictly and writing one report with it: what `ranscore systems check` does."""

from __future__ import annotations

import resource
import sys
import tempfile
import time
from dataclasses import dataclass, replace
from pathlib import Path

from generators.catalogue import Options, System, make
from harness.types import Access, StudyInput


@dataclass(frozen=True, slots=True)
class Measurements:
    """What a check measured."""

    load_seconds: float
    report_seconds: float
    memory_mb: float
    """Peak of the process, or of the device where it has its own memory."""
    device: str
    words: int
    """Length of the report; the report itself is not shown, its text may be under an agreement."""
    failure: str = ""


def check(system: System, options: Options, film: Path | None = None) -> Measurements:
    """Load and run a system once.

    Args:
        film: What it reads; a grey test film where none is given.
    """
    with tempfile.TemporaryDirectory() as folder:
        path = film or _grey(Path(folder))
        start = time.perf_counter()
        generator = make(system, options if film else replace(options, access=Access.OPEN))
        loaded = time.perf_counter()
        (made,) = generator.generate([StudyInput("check", frontal=path, view="PA")])
        done = time.perf_counter()
    return Measurements(loaded - start, done - loaded, _memory(options.device), options.device, len(made.report.split()), made.failure)


def _grey(folder: Path) -> Path:
    """A film without a patient: a bright middle on a dark ground."""
    import numpy as np
    from PIL import Image

    rows, columns = np.mgrid[-1:1:512j, -1:1:512j]
    path = folder / "film.png"
    Image.fromarray((np.exp(-2 * (rows**2 + columns**2)) * 255).astype(np.uint8)).save(path)
    return path


def _memory(device: str) -> float:
    if device.startswith("cuda"):
        import torch

        return float(torch.cuda.max_memory_allocated() / 1e6)
    unit = 1 if sys.platform == "darwin" else 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit / 1e6
