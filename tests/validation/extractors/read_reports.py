"""A store whose extractor is wrong in a known way, and label files of people who read some of its pairs."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from harness.cohorts.synthetic.labels import Matrix, label_matrix, perturb
from harness.findings import NO_FINDING, RAN_21
from harness.formats import label_files
from harness.metrics.findings_f1 import ran_score
from harness.records import ranks, snapshot
from harness.records.record import CohortCard
from harness.records.store import Store
from harness.scoring import evaluation
from harness.signature import digest
from harness.types import Access, Grade, Labels, Section, Status, SystemCard

SYSTEMS = {"alpha": (0.85, 0.15), "beta": (0.75, 0.25), "gamma": (0.4, 0.4)}
NORMAL = RAN_21.index(NO_FINDING)


def labels_of(matrix: Matrix) -> dict[str, Labels]:
    ok = (Status.OK,) * len(RAN_21)
    return {f"s{index:04d}": Labels(tuple(int(value) for value in row), ok) for index, row in enumerate(matrix)}


def with_errors(matrix: Matrix, missed: float, invented: float, rng: np.random.Generator) -> Matrix:
    """What an extractor says."""
    wrong = rng.random(matrix.shape) < np.where(matrix, missed, invented)
    said = matrix ^ wrong
    said[:, NORMAL] = ~np.delete(said, NORMAL, axis=1).any(axis=1)
    return said


@dataclass(frozen=True)
class ReadStore:
    """The store, the files, and what readers would label of everything."""

    store: Store
    originals: Path
    read: dict[str, Path]
    truth: dict[str, tuple[Matrix, Matrix]]


def make(folder: Path, studies: int = 240, read: int = 80, *, missed: float = 0.05, worse: str = "") -> ReadStore:
    """Score three systems by an extractor that misses findings, in one of them four times as often, and let people read some pairs."""
    truth, patients = label_matrix(studies, [5, studies], 1.5)
    rng = np.random.default_rng([5, studies, 1])
    names = [f"s{index:04d}" for index in range(studies)]
    owners = {name: f"p{patient}" for name, patient in zip(names, patients, strict=True)}
    original = with_errors(truth, missed, missed / 10, rng)
    chosen = np.sort(rng.permutation(studies)[:read])
    store = Store(folder / "store")
    originals, files, both = folder / "originals.csv", {}, {}
    label_files.write(originals, _some(truth, chosen))
    for name, rates in SYSTEMS.items():
        said = perturb(truth, *rates, rng)
        labelled = with_errors(said, 4 * missed if name == worse else missed, missed / 10, rng)
        card = CohortCard(
            name="read",
            digest=digest([studies, missed, worse]),
            section=Section.FINDINGS,
            access=Access.OPEN,
            language="en",
            studies=studies,
            patients=len(set(owners.values())),
        )
        sides = evaluation.from_labels(predictions=labels_of(labelled), references=labels_of(original), cohort=card, patients=owners)
        made = evaluation.evaluate(sides, [ran_score("")], card=SystemCard(name), grade=Grade.REGENERATED, created="2026-12-01T00:00:00Z")
        store.add(made.record, made.rows, None, owners)
        files[name] = folder / f"{name}.csv"
        label_files.write(files[name], _some(said, chosen))
        both[name] = truth, said
    for made_snapshot in ranks.make(store, created="2026-12-01T00:00:00Z"):
        snapshot.save(store.root, made_snapshot)
    return ReadStore(store, originals, files, both)


def _some(matrix: Matrix, chosen: np.ndarray[tuple[int, ...], np.dtype[np.int64]]) -> dict[str, Labels]:
    every = labels_of(matrix)
    return {name: every[name] for name in (f"s{index:04d}" for index in chosen)}
