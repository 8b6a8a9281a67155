"""A generator that is really trained, in seconds and without torch: it reads a film as 32 x 32 grey levels and writes what it finds.

Kernel ridge regression from pixels to findings, one threshold a finding, chosen on predictions of each film by all the others (which
ridge regression gives in closed form). It is a baseline and a proof of the whole way from film to report, not a medical device.
"""

from __future__ import annotations

import io
from collections.abc import Collection, Sequence
from dataclasses import dataclass, field, replace
from hashlib import sha256
from pathlib import Path
from typing import Any

import numpy as np

from generators.baseline.sentences import written
from generators.catalogue import Options, System
from generators.running.inputs import film
from generators.weights import Weights, find
from harness.cohorts.synthetic.cohort import SOURCE
from harness.errors import InputError, Problem
from harness.findings import NO_FINDING, RAN_21
from harness.formats.written_by import BASELINE, DRAWN
from harness.networks import containers
from harness.storage import files
from harness.storage.progress import progress
from harness.types import Array, Cohort, Generated, Labels, Section, Study, StudyInput

SIDE = 32
"""Films are shrunk to this width and height: marks stay visible, and 1,180 films give a matrix that is solved in a second."""
RIDGE = 0.03
"""Strength of the penalty, relative to the mean squared length of a film's features."""
SHAPES: dict[str, tuple[int, ...]] = {
    "mean": (SIDE**2,),
    "scale": (SIDE**2,),
    "directions": (SIDE**2, 20),
    "offsets": (20,),
    "thresholds": (20,),
}
"""The arrays of a model."""
CAUTIONS = {
    True: "It learned from drawn films alone: it has never seen a real one.",
    None: "Its file does not say what it learned from; if that were drawn films alone, it has never seen a real one.",
    False: "",
}
"""What is said beside its reports, by whether it learned from drawings."""
LEARNED: tuple[str, ...] = tuple(name for name in RAN_21 if name != NO_FINDING)


@dataclass(frozen=True, slots=True)
class TrainedModel:
    """What training leaves: a mean film, a scale, one direction and one threshold for each finding."""

    mean: Array
    """Shape (1024,), grey levels from 0 to 1."""
    scale: Array
    """Shape (1024,)."""
    directions: Array
    """Shape (1024, 20)."""
    offsets: Array
    """Shape (20,)."""
    thresholds: Array
    """Shape (20,); infinite for a finding that training never saw."""
    drawn: bool | None = None
    """Whether it learned from the films of a synthetic cohort; None where an older file does not say. Not part of the digest."""

    def findings(self, pixels: Array) -> list[frozenset[str]]:
        """What is seen on each film.

        Args:
            pixels: Shape (films, 1024).
        """
        scores = (pixels - self.mean) / self.scale @ self.directions + self.offsets
        return [frozenset(np.array(LEARNED)[row]) for row in scores >= self.thresholds]

    def save(self, path: Path) -> None:
        """Write the model; the same model gives the same bytes."""
        stream = io.BytesIO()
        kept: dict[str, Any] = {name: getattr(self, name) for name in SHAPES}
        np.savez(stream, **kept | ({} if self.drawn is None else {"drawn": np.array(self.drawn)}))
        files.write(path, stream.getvalue())

    @property
    def digest(self) -> str:
        """SHA-256 of the numbers."""
        return sha256(b"".join(np.ascontiguousarray(getattr(self, name)).tobytes() for name in SHAPES)).hexdigest()


def load(path: Path) -> TrainedModel:
    """Read a model.

    Raises:
        InputError: The file is not one that `ranscore train-baseline` wrote.
    """
    try:
        found = containers.arrays(path, SHAPES)
        drawn = containers.arrays(path, {"drawn": ()}, kinds="b", lacking=True)
    except containers.DamagedError as error:
        raise InputError(Problem(f"it is not a trained baseline: {error}", "Make it with `ranscore train-baseline`", str(path))) from None
    # The threshold of a finding that training never saw is infinite.
    bad = [name for name, array in found.items() if np.isnan(array).any() or (name != "thresholds" and np.isinf(array).any())]
    if bad:
        what = f"{', '.join(bad)} hold NaN or infinity"
        raise InputError(Problem(what, "Make it again with `ranscore train-baseline`", str(path)))
    return TrainedModel(**found, drawn=bool(drawn["drawn"]) if drawn else None)


def pixels(path: Path) -> Array:
    """A film as 1,024 grey levels from 0 to 1."""
    from PIL import Image

    from harness import films

    shrunk = films.resized(Image.fromarray(films.read(path)), (SIDE, SIDE), Image.Resampling.BOX)
    return np.asarray(shrunk, dtype=np.float64).reshape(-1) / 255


def train(cohort: Cohort, labels: dict[str, Labels] | None = None) -> TrainedModel:
    """Train on the frontal films of a cohort's train part. There is no randomness in it.

    Args:
        labels: By study id; by default the cohort's own.

    Raises:
        InputError: The train part has no films or no labels.
    """
    known = labels if labels is not None else dict(cohort.labels)
    studies = [study for study in cohort.manifest.studies if study.part == "train" and study.frontal and study.id in known]
    if cohort.images is None or len(studies) < 2:
        what = f"the train part of {cohort.manifest.name} has {len(studies)} labelled studies with films on this machine"
        raise InputError(Problem(what, "Build the cohort with its films and a train part"))
    columns = [RAN_21.index(name) for name in LEARNED]
    truth = np.array([[known[study.id].values[column] == 1 for column in columns] for study in studies], dtype=np.float64)
    return replace(fit(_read(cohort, studies), truth), drawn=cohort.manifest.source == SOURCE)


def _read(cohort: Cohort, studies: Sequence[Study]) -> Array:
    paths = [film(cohort, study, study.frontal) for study in studies]
    return np.array([pixels(path) for path in progress(paths, "Reading films", unit="film") if path is not None])


def fit(images: Array, truth: Array) -> TrainedModel:
    """Solve the ridge regression and choose the thresholds.

    Args:
        images: Shape (films, 1024).
        truth: Shape (films, 20), 1 or 0.
    """
    mean, scale = images.mean(axis=0), images.std(axis=0) + 1e-3
    features = (images - mean) / scale
    values, vectors = np.linalg.eigh(features @ features.T / features.shape[1])
    centre = truth.mean(axis=0)
    inner = vectors.T @ (truth - centre)
    fitted = vectors @ ((values / (values + RIDGE))[:, None] * inner)
    leverage = (vectors**2 @ (values / (values + RIDGE)))[:, None]
    # Each film's prediction by the model that never saw it.
    unseen = (fitted - leverage * (truth - centre)) / (1 - leverage) + centre
    weights = vectors @ (inner / (values + RIDGE)[:, None])
    directions = features.T @ weights / features.shape[1]
    thresholds = np.array([threshold(scores, present) for scores, present in zip(unseen.T, truth.T, strict=True)])
    return TrainedModel(mean, scale, directions, centre, thresholds)


def threshold(scores: Array, present: Array) -> float:
    """The cut between two neighbouring scores with the best F1; infinite where nothing is present."""
    if not present.any():
        return float("inf")
    order = np.argsort(-scores, kind="stable")
    hits = np.cumsum(present[order])
    f1 = 2 * hits / (np.arange(1, len(order) + 1) + present.sum())
    best = int(np.argmax(f1))
    ranked = scores[order]
    return float((ranked[best] + ranked[min(best + 1, len(ranked) - 1)]) / 2)


@dataclass(frozen=True, slots=True)
class Trained:
    """The model as a generator."""

    model: TrainedModel = field(repr=False)
    language: str = "en"
    name: str = BASELINE
    needs: frozenset[str] = frozenset({"frontal"})
    writes: Section = Section.BOTH
    exact_batches: bool = True

    @property
    def digest(self) -> str:
        """Covers the model and the language that it writes."""
        return sha256(f"{self.model.digest}|{self.language}|1".encode()).hexdigest()

    @property
    def caution(self) -> str:
        """That it knows no real film, where that is so."""
        return CAUTIONS[self.model.drawn]

    def generate(self, studies: Sequence[StudyInput]) -> Sequence[Generated]:
        """Look and write; a study without a film is a recorded failure."""
        return [self._one(study) for study in studies]

    def _one(self, study: StudyInput) -> Generated:
        if study.frontal is None:
            return Generated(study.id, failure="no frontal film")
        return Generated(study.id, written(self.seen(study.frontal), self.language))

    def seen(self, path: Path) -> Collection[str]:
        """The findings on one film."""
        return self.model.findings(pixels(path)[None])[0]


def make(options: Options) -> Trained:
    """Load the model that `ranscore train-baseline` wrote."""
    return Trained(load(options.weights["model"]), options.settings.get("language", "en"))


def mark(options: Options, cohort: Cohort) -> str:
    """What its name must say on a cohort of real films: that it learned from drawings, where it did."""
    path = find(SYSTEM.name, SYSTEM.weights[0], options.weights)
    return DRAWN if path is not None and cohort.manifest.source != SOURCE and load(path).drawn is not False else ""


SYSTEM = System(
    name=BASELINE,
    make="generators.baseline.trained:make",
    summary="a small model trained here, in seconds, on a cohort's train part",
    writes=Section.BOTH,
    weights=(Weights("model", "the trained model", "170 kB", "yours", "`ranscore train-baseline --cohort NAME`, which makes it"),),
    memory="0.2 GB",
    licence="Apache-2.0",
    settings={"language": "en or zh: what it writes"},
    mark="generators.baseline.trained:mark",
)
