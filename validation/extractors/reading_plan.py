"""How many pairs should people read? The width of the interval to expect, by simulated readers. Pure.

Readers who would find the error rates of a validation (or those of the paper's extractor) are simulated on a board's own rows: each label
of the extractor is right with the chance that the counts give. Then the estimate of `harness.statistics.prediction_powered` is made
from drawn pairs, as if they had been read.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from harness.findings import NO_FINDING, RAN_21
from harness.metrics.findings_f1 import FindingsF1
from harness.records.paper_table import extraction
from harness.signature import digest as digest_of
from harness.statistics import prediction_powered, read_strata
from harness.statistics.intervals import intervals
from harness.statistics.prediction_powered import ReadSample
from harness.types import Array, Rows
from validation.extractors.read_pairs import labels_in, summed_by_patient
from validation.extractors.results import SourcePart
from validation.readers import draw

Flags = NDArray[np.bool_]
SIZES = (100, 300, 600)
DRAWS = ("random", "stratified")
REPEATS = 5
"""How many studies by simulated readers are averaged."""
READ, TYPICAL = 300, 36
"""Reports of the paper's validation, and the positives of a finding for which they were not worked out."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Expected:
    """What reading so many pairs buys for one system."""

    system: str
    draw: str
    """One of `DRAWS`."""
    pairs: int
    alone: float
    """Width of the 95 % interval from the read pairs alone."""
    powered: float
    """Width with the extractor's labels of all studies."""


@dataclass(frozen=True, slots=True)
class ErrorChances:
    """By finding: how often a label 1 is wrong, and a label 0."""

    wrong_one: Array
    wrong_zero: Array


def of_validation(part: SourcePart) -> ErrorChances:
    """From the counts of a validation, with half an error added to each."""
    known = {item.finding: item for item in part.findings}
    ones = [_share(item.fp, item.tp + item.fp) if (item := known.get(name)) else 0.05 for name in RAN_21]
    zeros = [_share(item.fn, item.fn + item.tn) if (item := known.get(name)) else 0.01 for name in RAN_21]
    return ErrorChances(np.array(ones), np.array(zeros))


def _share(wrong: int, of: int) -> float:
    return (wrong + 0.5) / (of + 1)


def of_paper() -> ErrorChances:
    """From the F1 values that the paper prints for its extractor after revision, false and missed labels equally many, on 300 reports."""
    chances = []
    for finding in RAN_21:
        row = next(item for item in extraction() if item.finding == finding)
        positives = row.positives_after[0] if row.positives_after else TYPICAL
        wrong = round(positives * (1 - row.f1_after))
        chances.append((_share(wrong, positives), _share(wrong, READ - positives)))
    return ErrorChances(*np.array(chances).T)


def expected(
    rows: Mapping[str, Rows], patients: Mapping[str, str], chances: ErrorChances, sizes: Sequence[int] = SIZES, seed: int = 0
) -> tuple[Expected, ...]:
    """The width of the interval of the macro F1 for each system, draw and number of pairs; sizes that exceed the cohort are left out.

    Args:
        rows: By system rows of Ran Score.
        patients: By study.
        chances: How often labels are wrong.
        sizes: Numbers of pairs.
        seed: Decides what the simulated readers say; the same seed gives the same table.
    """
    found = []
    for name, table in rows.items():
        labels = labels_in(table)
        if labels is None:
            continue
        for how in DRAWS:
            for size in (size for size in sizes if size <= len(table.studies)):
                widths = np.array([_widths(table, patients, chances, how, size, f"{seed}|{repeat}") for repeat in range(REPEATS)])
                alone, powered = widths.mean(axis=0).tolist()
                found.append(Expected(system=name, draw=how, pairs=size, alone=alone, powered=powered))
    return tuple(found)


def _widths(rows: Rows, patients: Mapping[str, str], chances: ErrorChances, how: str, size: int, seed: str) -> tuple[float, float]:
    """The widths from the read pairs alone and with the extractor's labels, of one simulated study by readers."""
    metric = FindingsF1("plan", "ran-21", RAN_21)
    original, generated, _ = labels_in(rows) or (np.zeros((0, 0)),) * 3
    rng = np.random.default_rng(int(digest_of([seed, how, size])[:16], 16))
    first, second = (_readers(side > 0, chances, rng) for side in (original, generated))
    cells = np.stack([first & second, ~first & second, first & ~second, ~first & ~second], axis=-1).reshape(len(rows.studies), -1)
    drawn = _drawn(rows, original, how, size, seed)
    weights = np.array([drawn.get(study, 0.0) for study in rows.studies])[:, None]
    weights = weights / weights[weights > 0].mean()
    at = np.flatnonzero(weights[:, 0])
    by_patient = summed_by_patient(rows, patients)
    sample = ReadSample(
        extractor=by_patient(rows.values),
        studies=by_patient(np.ones_like(weights))[:, 0],
        read=by_patient(cells * weights),
        same=by_patient(rows.values * weights),
        pairs=by_patient(np.repeat(weights, cells.shape[1], axis=1)),
        decisions=read_strata.decisions(rows.values[at], cells[at].astype(np.float64), weights[at, 0], by_patient.owners[at]),
    )
    alone = intervals(metric, sample.read[sample.pairs.any(axis=1)])[metric.headline]
    powered = prediction_powered.estimate(metric, sample)[metric.headline]
    return alone[1] - alone[0], powered.high - powered.low


def _readers(said: Flags, chances: ErrorChances, rng: np.random.Generator) -> Flags:
    """What people would see, given the extractor's labels; *No Finding* by its rule."""
    wrong = rng.random(said.shape) < np.where(said, chances.wrong_one, chances.wrong_zero)
    truth = said ^ wrong
    normal = RAN_21.index(NO_FINDING)
    truth[:, normal] = ~np.delete(truth, normal, axis=1).any(axis=1)
    return truth


def _drawn(rows: Rows, original: Array, how: str, size: int, seed: str) -> dict[str, float]:
    if how == "random":
        return draw.at_random(rows.studies, size, seed)
    names = [[name for name, value in zip(RAN_21, row, strict=True) if value and name != NO_FINDING] for row in original]
    return draw.by_rarity(draw.strata(dict(zip(rows.studies, names, strict=True))), size, seed)
