"""This project's side of `benchmarks.generators`: a system of the catalogue in a process of its own, so that memory and time are its own."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from benchmarks.upstream.serving import Job, Write, serve


def load(job: Job) -> Write:
    """The system with the given weights."""
    from generators.catalogue import Options, find, make
    from harness.types import StudyInput

    weights = {name: Path(path) for name, path in job["weights"].items()}
    generator = make(find(job["system"]), Options(weights, job["device"], job["precision"], settings=job["settings"]))

    def write(films: Sequence[str]) -> list[str]:
        made = generator.generate([StudyInput(film, frontal=Path(film)) for film in films])
        if failed := [item.failure for item in made if item.failure]:
            raise SystemExit(failed[0])
        return [item.report for item in made]

    return write


if __name__ == "__main__":
    serve(load)
