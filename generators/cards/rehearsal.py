"""A card without anything prepared: an invented cohort with films, a baseline trained on it, random weights for every other system."""

from __future__ import annotations

from pathlib import Path

from generators import tiny
from generators.baseline import trained
from generators.catalogue import packages
from generators.weights import RANDOM
from harness import cohorts
from harness.cohorts.synthetic.cohort import build
from harness.errors import Problem, RefusedError
from harness.types import Cohort

TRAIN = 400
"""Films that the baseline is trained on."""


def cohort(folder: Path, studies: int, seed: int = 0) -> Cohort:
    """The synthetic cohort with its films, made where it is not there yet.

    Raises:
        RefusedError: The folder holds one of another size.
    """
    place = folder / "cohort"
    if not (place / "manifest.json").is_file():
        cohorts.save(build(studies, seed, images=folder / "films", train=TRAIN, dev=1), place)
    found = cohorts.load(place)
    if len(found.scored) != studies:
        what = f"this folder holds a card of {len(found.scored)} studies, not of {studies}"
        raise RefusedError(Problem(what, "Name another folder, or the number it has", str(place)))
    return found


def baseline(folder: Path, on: Cohort) -> dict[str, Path]:
    """The trained baseline, trained where it is not there yet."""
    path = folder / "weights" / trained.SYSTEM.name / "model"
    if not path.is_file():
        trained.train(on).save(path)
    return {"model": path}


def weights(folder: Path, system: str) -> dict[str, Path]:
    """One system's random weights, made where they are not there yet.

    Raises:
        UnavailableError: A package is not installed.
    """
    place = folder / "weights" / system
    with packages(system):
        import torch

        # So small a model has nothing to share out: on two busy cores a second thread made it five times slower.
        torch.set_num_threads(1)
        if not (place / RANDOM).is_file():
            tiny.write(system, place)
    return tiny.given(system, place)


def names() -> list[str]:
    """The systems that `ranscore card --tiny` runs, beside floors and ceilings."""
    return [trained.SYSTEM.name, *tiny.systems()]
