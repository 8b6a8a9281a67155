"""Pairs of reports that people read: their labels of the original and of each system's report about the same studies."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from harness.errors import InputError, Problem, UsageError
from harness.findings import RAN_21
from harness.metrics.findings_f1 import FindingsF1
from harness.quiet import Quiet
from harness.signature import digest as digest_of
from harness.statistics import read_strata
from harness.statistics.prediction_powered import ReadSample
from harness.types import Array, Input, Labels, Metric, ReportStatus, Rows, Status
from validation.extractors import reference

VOCABULARY = "ran-21"
SHOWN = 20


@dataclass(frozen=True, slots=True, repr=False, kw_only=True)
class ReadPairs(Quiet):
    """The readers' labels of the original reports, and of the reports of some systems."""

    originals: Mapping[str, Labels] = field(repr=False)
    """By study."""
    generated: Mapping[str, Mapping[str, Labels]] = field(repr=False)
    """By record id, by study."""
    weights: Mapping[str, float] = field(default_factory=dict, repr=False)
    """By study how many it represents; empty for a simple random draw."""
    cohorts: tuple[str, ...] = ()
    """Digests of the cohorts that the readers' studies name."""
    listed: bool = False
    """Whether somebody chose the studies: then nobody knows whether they represent the others."""

    @property
    def digest(self) -> str:
        """SHA-256 over all labels and weights; the order of files does not matter."""
        sides = [self.originals, *(self.generated[name] for name in sorted(self.generated))]
        return digest_of([sorted(self.generated), [_content(side) for side in sides], sorted(self.weights.items())])

    def studies(self, name: str) -> tuple[str, ...]:
        """The studies whose two reports were read for a system, sorted."""
        return tuple(sorted(self.originals.keys() & self.generated.get(name, {}).keys()))


def _content(side: Mapping[str, Labels]) -> list[object]:
    return [[study, list(labels.values), [status.value for status in labels.statuses]] for study, labels in sorted(side.items())]


def load(originals: str | Path, generated: Mapping[str, str | Path] | None = None) -> ReadPairs:
    """Read pairs from the readers' standards or label files of both sides.

    Args:
        originals: A settled study of findings, its folder, or a label file: how people label the original reports. A study that reads
            the reports of systems too holds both sides.
        generated: By record id the same for the reports of a further system.

    Raises:
        UsageError: There is no such standard.
        InputError: A system shares no study with the originals, or nobody read the reports of a system.
    """
    first = reference.load(originals)
    sides, places = {name: reference.load(place) for name, place in (generated or {}).items()}, generated or {}
    known = {item.study for item in first.items}
    problems = [
        Problem(f"it shares no study with {originals}", "Let people read the two reports of the same studies", str(places[name]))
        for name, side in sides.items()
        if not known & {item.study for item in side.items}
    ]
    within = _within(first)
    if not sides and not within:
        remedy = "Make the study with --system, or name the labels of a system's reports with --read SYSTEM=FILE"
        problems.append(Problem("it holds no labels of generated reports", remedy, str(originals)))
    if problems:
        raise InputError(problems)
    every = (first, *sides.values())
    studies = [item.study for item in every if item.study is not None]
    return ReadPairs(
        originals={item.study: first.labels[item.id] for item in first.items if item.source == reference.ORIGINAL},
        generated=within | {name: {item.study: side.labels[item.id] for item in side.items} for name, side in sides.items()},
        weights={item.study: item.weight for item in first.items} if first.weighted else {},
        cohorts=tuple(sorted({side.cohort for side in every if side.cohort})),
        listed=any(study.draw.how == "listed" for study in studies),
    )


def _within(side: reference.Reference) -> dict[str, dict[str, Labels]]:
    """By record the labels of generated reports that are in the same study."""
    found: dict[str, dict[str, Labels]] = {}
    for item in side.study.items if side.study else ():
        if item.system:
            found.setdefault(item.system, {})[item.study] = side.labels[item.id]
    return found


def check(pairs: ReadPairs, cohort: str, rows: Rows) -> None:
    """Hold the pairs against a scored cohort.

    Args:
        pairs: What was read.
        cohort: Digest of the cohort that was scored.
        rows: The rows of any of its systems.

    Raises:
        InputError: The readers read another cohort, or studies that were not scored.
    """
    if others := [digest for digest in pairs.cohorts if digest != cohort]:
        what = f"the readers read the cohort {others[0][:12]}, and {cohort[:12]} was scored"
        raise InputError(Problem(what, "Give a study of the cohort that was scored"))
    unknown = sorted(set(pairs.originals) - set(rows.studies))
    if unknown:
        listed = [Problem("this study was read and is not in the scored cohort", "Remove its row", study=name) for name in unknown]
        raise InputError([*listed[:SHOWN], *([Problem(f"and {len(unknown) - SHOWN} more studies")] if len(unknown) > SHOWN else [])])


def sample(metric: Metric, rows: Rows, patients: Mapping[str, str], pairs: ReadPairs, name: str) -> ReadSample:
    """What an estimate of a metric needs: a system's rows by the extractor and by the readers.

    A finding that the readers left open in either report of a pair is left out of this pair.

    Args:
        metric: One that reads labels of the 21 findings and nothing else.
        rows: The system's rows by the extractor.
        patients: By study; a study that is not named is its own patient.
        pairs: What was read.
        name: The system's record id.

    Raises:
        UsageError: The metric reads something else, or too few pairs were read.
    """
    if metric.reads != frozenset({VOCABULARY}):
        raise UsageError(f"{metric.name} does not read labels of the 21 findings, so readers' labels cannot correct it")
    places = {study: index for index, study in enumerate(rows.studies)}
    chosen = [study for study in pairs.studies(name) if study in places]
    read, counts = read_rows(metric, [pairs.originals[study] for study in chosen], [pairs.generated[name][study] for study in chosen])
    at = np.array([places[study] for study in chosen], dtype=np.int64)
    heavy = np.array([pairs.weights.get(study, 1.0) for study in chosen])[:, None]
    heavy = heavy / heavy.mean() if len(heavy) else heavy
    by_patient = summed_by_patient(rows, patients)
    decided = read_strata.fits(metric.columns, metric)
    return ReadSample(
        extractor=by_patient(rows.values),
        studies=by_patient(np.ones((len(rows.studies), 1)))[:, 0],
        read=by_patient(read * counts * heavy, at),
        same=by_patient(rows.values[at] * counts * heavy, at),
        pairs=by_patient(counts * heavy, at),
        decisions=read_strata.decisions(rows.values[at], read * counts, heavy[:, 0], by_patient.owners[at]) if decided else None,
    )


def read_rows(metric: Metric, originals: Sequence[Labels], generated: Sequence[Labels]) -> tuple[Array, Array]:
    """The rows that readers' labels give, and where they count.

    Returns:
        Two arrays of shape (pairs, columns); the second is 1 where the readers decided what a column is about, else 0.
    """
    first = [Input(str(index), "", labels={VOCABULARY: labels}) for index, labels in enumerate(originals)]
    second = [Input(str(index), "", labels={VOCABULARY: labels}) for index, labels in enumerate(generated)]
    values = np.asarray(metric.rows(first, second), dtype=np.float64).reshape(len(first), len(metric.columns))
    open_ = np.array([_open(one) | _open(other) for one, other in zip(originals, generated, strict=True)]).reshape(-1, len(RAN_21))
    about = [RAN_21.index(finding) if (finding := column.rpartition(":")[0]) in RAN_21 else -1 for column in metric.columns]
    counts = np.stack([~open_[:, place] if place >= 0 else np.ones(len(first), dtype=bool) for place in about], axis=1)
    return values, counts.astype(np.float64)


def _open(labels: Labels) -> NDArray[np.bool_]:
    """Which decisions the readers did not make; of a report that is missing or empty, none."""
    if labels.report is not ReportStatus.OK:
        return np.zeros(len(RAN_21), dtype=bool)
    return np.array([value not in (0, 1) or status is not Status.OK for value, status in zip(labels.values, labels.statuses, strict=True)])


@dataclass(frozen=True, slots=True)
class ByPatient:
    """Sums values of studies by patient, in the order of `harness.statistics.resample.patient_totals`."""

    owners: NDArray[np.int64]
    """The number of each study's patient."""
    patients: int

    def __call__(self, values: Array, at: NDArray[np.int64] | None = None) -> Array:
        """Totals of shape (patients, columns).

        Args:
            values: One row a study, for all studies or for those at some places.
            at: The places.
        """
        table = np.zeros((self.patients, values.shape[1]))
        np.add.at(table, self.owners if at is None else self.owners[at], values)
        return table


def summed_by_patient(rows: Rows, patients: Mapping[str, str]) -> ByPatient:
    """What sums values of studies by patient.

    Args:
        rows: Name the studies.
        patients: By study; a study that is not named is its own patient.
    """
    names = [patients.get(study, study) for study in rows.studies]
    number = {name: index for index, name in enumerate(sorted(set(names)))}
    return ByPatient(np.array([number[name] for name in names], dtype=np.int64), len(number))


def labels_in(rows: Rows) -> tuple[Array, Array, Array] | None:
    """The extractor's labels of both reports, worked out from the rows of a metric that counts decisions.

    Returns:
        Original, generated, and whether the decision counts, each of shape (studies, findings) in the order of `RAN_21`; None where
        the rows are not such counts.
    """
    wanted = FindingsF1("", VOCABULARY, RAN_21).columns
    if rows.columns != wanted:
        return None
    tp, fp, fn, tn = np.moveaxis(rows.values.reshape(len(rows.studies), len(RAN_21), 4), -1, 0)
    return tp + fn, tp + fp, tp + fp + fn + tn
