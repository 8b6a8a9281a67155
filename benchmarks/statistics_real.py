"""Populations of real label pairs: what a system asserts about a report and what its reference says, from public reports at hand.

A population is one row of counts a patient. Cohorts are drawn from it with replacement, so that its own score is the truth.
"""

from __future__ import annotations

import csv
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from harness.extractors import extractor
from harness.findings import FINDINGS, NO_FINDING, RAN_21
from harness.metrics.findings_f1 import candidate_decisions
from harness.types import Array

Matrix = np.ndarray[tuple[int, ...], np.dtype[np.bool_]]
FEW = ("Cardiomegaly", "Lung Opacity", "Calcification", "Emphysema")
"""All that a very quiet system asserts."""
CELLS = 4


@dataclass(frozen=True, slots=True)
class Population:
    """One system on one collection of reports."""

    rows: Array
    """Counts by patient, as Ran Score sums them."""
    studies: int

    def cohort(self, studies: int, rng: np.random.Generator) -> Array:
        """As many patients as have about this number of studies, drawn with replacement."""
        wanted = max(2, round(studies * len(self.rows) / self.studies))
        return np.asarray(self.rows[rng.integers(0, len(self.rows), wanted)])


def populations(folder: Path) -> dict[str, Population]:
    """Every population that can be made of the files in a folder with `openi/` and `submissions/`."""
    rng = np.random.default_rng(5)
    reports = {row["uid"]: row for row in _read(folder / "openi" / "reports_dev.csv")}
    rewritten = _read(folder / "openi" / "reports_dev_paraphrased.csv")
    original = labels([f"{reports[row['uid']]['findings']}\n{reports[row['uid']]['impression']}" for row in rewritten])
    english, chinese = (labels([row[language] for row in rewritten]) for language in ("english", "chinese"))
    half, other = rng.random(len(english)) < 0.5, english[rng.permutation(len(english))]
    quiet = english & np.isin(RAN_21, FEW)
    pairs = {
        "English paraphrase": (original, english),
        "Chinese translation": (original, chinese),
        "what both assert": (original, by_rule(english & chinese)),
        "what either asserts": (original, by_rule(english | chinese)),
        "paraphrase, every second of another report": (original, np.where(half[:, None], english, other)),
        "paraphrase of another report": (original, other),
        "paraphrase, four findings alone": (original, by_rule(quiet)),
    }
    truth, written = _submissions(folder / "submissions")
    pairs["MoERad and AAMN (all normal)"] = (truth, written)
    pairs["references, every second by MoERad"] = (truth, np.where((rng.random(len(truth)) < 0.5)[:, None], written, truth))
    pairs["references themselves"] = (truth, truth)
    found = {name: Population(counts(*pair), len(pair[0])) for name, pair in pairs.items()}
    coded = np.array([[_coded(row, finding.column, finding.name) for finding in FINDINGS] for row in reports.values()])
    read = labels([f"{row['findings']}\n{row['impression']}" for row in reports.values()])
    found["extractor against manual codes"] = Population(counts(coded == 1, read, coded >= 0), len(coded))
    return found


def _submissions(folder: Path) -> tuple[Matrix, Matrix]:
    """References and what both systems assert, which is the same."""
    texts = {
        name: {row["study_id"]: row["report"] for row in _read(folder / f"{name}.csv")} for name in ("references", "moerad-iu", "aamn-iu")
    }
    truth, first, second = (labels([side.get(study, "") for study in sorted(texts["references"])]) for side in texts.values())
    if (first != second).any():
        raise SystemExit("the two submissions no longer assert the same findings: give each a line of its own")
    return truth, first


def _read(path: Path) -> list[dict[str, str]]:
    with path.open(encoding="utf-8", newline="") as stream:
        return list(csv.DictReader(stream))


def _coded(row: Mapping[str, str], *names: str) -> int:
    """1, 0, or -1 where the coders left the finding open."""
    return {"1": 1, "0": 0}.get(next((row[name] for name in names if name in row), ""), -1)


def labels(texts: Sequence[str]) -> Matrix:
    """What the embedded extractor asserts."""
    return np.array([candidate_decisions(item, len(RAN_21)) for item in extractor("lexical").extract(texts)])


def by_rule(matrix: Matrix) -> Matrix:
    """No Finding where nothing else is asserted."""
    normal = RAN_21.index(NO_FINDING)
    matrix = matrix.copy()
    matrix[:, normal] = ~np.delete(matrix, normal, axis=1).any(axis=1)
    return matrix


def counts(truth: Matrix, said: Matrix, decided: Matrix | None = None) -> Array:
    """One row a study; a decision that the reference leaves open counts nowhere."""
    cells = np.stack([truth & said, ~truth & said, truth & ~said, ~truth & ~said], axis=-1)
    if decided is not None:
        cells &= decided[..., None]
    return cells.reshape(len(truth), -1).astype(np.float64)


def in_patients(population: Population, per_patient: float = 1.6) -> Population:
    """The same studies in patients of one study or several (1.6 on average), where those of one patient resemble each other."""
    rng = np.random.default_rng(1)
    present = population.rows.reshape(len(population.rows), -1, CELLS)[..., [0, 2]].sum(axis=-1)
    alike = np.lexsort([rng.random(len(present)), *present.T])
    owner = np.repeat(np.arange(len(alike)), rng.geometric(1 / per_patient, len(alike)))[: len(alike)]
    rows = np.add.reduceat(population.rows[alike], np.flatnonzero(np.diff(owner, prepend=-1)), axis=0)
    return Population(rows, population.studies)
