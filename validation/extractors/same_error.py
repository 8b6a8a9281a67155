"""Does the extractor read every system's reports equally well? Shares of right labels by system, with exact tests. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from harness.findings import RAN_21
from harness.metrics.findings_f1 import ratio
from harness.statistics.exact_strata import exact_p
from harness.statistics.paired import holm
from harness.types import Array, Labels, Rows
from validation.extractors.read_pairs import ReadPairs, labels_in

ALPHA = 0.05
ORIGINAL = "original"
"""The name of the original reports among the systems."""
KINDS = ("sensitivity", "specificity")


@dataclass(frozen=True, slots=True, kw_only=True)
class ReadingError:
    """How the extractor reads the reports of one system, over all findings."""

    name: str
    """A record id, or `ORIGINAL`."""
    reports: int
    found: int
    positives: int
    """Findings that the readers see, and how many of them the extractor sees."""
    cleared: int
    negatives: int
    """Findings that the readers do not see, and how many of them the extractor does not see."""
    p: Mapping[str, float]
    """By `KINDS`: against the systems that are not set apart; exact, finding by finding, with Holm's correction."""
    differs: bool = False
    """Whether the extractor reads these reports significantly better or worse than the others."""

    @property
    def sensitivity(self) -> float:
        """Share of the positives that are found; 0 without any."""
        return self.found / self.positives if self.positives else 0.0

    @property
    def specificity(self) -> float:
        """Share of the negatives that are cleared; 0 without any."""
        return self.cleared / self.negatives if self.negatives else 0.0


def compare(rows: Mapping[str, Rows], pairs: ReadPairs) -> tuple[ReadingError, ...]:
    """Count the extractor's right labels of every system's reports, and test whether they are equally frequent.

    The system that differs most from the others is set apart, then the next one is looked for among those that are left: one system that is
    read badly does not make all others look as if they were read well. The tests treat the labels of one report as independent.

    Args:
        rows: By record id rows of a metric that counts decisions (Ran Score); a system with other rows is left out.
        pairs: What people read.

    Returns:
        The original reports first, then the systems.
    """
    counted: dict[str, Array] = {}
    sizes: dict[str, int] = {}
    for name, table in sorted(rows.items()):
        labels = labels_in(table)
        if labels is None or not pairs.studies(name):
            continue
        original, generated, counts = labels
        counted[name] = _cells(table, generated, counts, pairs.generated[name])
        sizes[name] = len(pairs.generated[name].keys() & set(table.studies))
        if ORIGINAL not in counted:
            counted = {ORIGINAL: _cells(table, original, counts, pairs.originals)} | counted
            sizes[ORIGINAL] = len(pairs.originals.keys() & set(table.studies))
    p, apart = _tested(counted)
    return tuple(_error(name, cells, sizes[name], p, name in apart) for name, cells in counted.items())


def _cells(rows: Rows, labels: Array, counts: Array, readers: Mapping[str, Labels]) -> Array:
    """Found, missed, cleared and invented by finding, shape (findings, 4)."""
    places = {study: index for index, study in enumerate(rows.studies)}
    chosen = sorted(readers.keys() & places.keys())
    at = np.array([places[study] for study in chosen], dtype=np.int64)
    truth = np.array([[-1 if value is None else value for value in readers[study].values] for study in chosen]).reshape(-1, len(RAN_21))
    said, decided = labels[at] > 0, counts[at] > 0
    kinds = ((truth == 1) & said, (truth == 1) & ~said, (truth == 0) & ~said, (truth == 0) & said)
    return np.stack([(kind & decided).sum(axis=0) for kind in kinds], axis=-1).astype(np.float64)


def _tested(counted: Mapping[str, Array]) -> tuple[dict[str, float], set[str]]:
    """By `name kind` Holm's p, and the systems that are set apart."""
    left, p, apart = dict(counted), dict[str, float](), set[str]()
    while True:
        now = _tests(left)
        p.update(now)
        smallest = {name: min(now[f"{name} {kind}"] for kind in KINDS) for name in left if name != ORIGINAL and f"{name} {KINDS[0]}" in now}
        if min(smallest.values(), default=1.0) >= ALPHA:
            return p, apart
        # Two that are left have the same p: the one that is read less like the originals is set apart.
        chosen = min(smallest, key=lambda name: (smallest[name], -_distance(left[name], left[ORIGINAL])))
        apart.add(chosen)
        del left[chosen]


def _distance(one: Array, other: Array) -> float:
    first, second = (cells.sum(axis=0) for cells in (one, other))
    return float(sum(abs(ratio(first[at], first[at : at + 2].sum()) - ratio(second[at], second[at : at + 2].sum())) for at in (0, 2)))


def _tests(counted: Mapping[str, Array]) -> dict[str, float]:
    """By `name kind` Holm's p; a system alone has no others to be compared with."""
    systems = [name for name in counted if name != ORIGINAL]
    p = {}
    for name, own in counted.items():
        others = [counted[other] for other in systems if other != name]
        if not others:
            continue
        rest = np.sum(others, axis=0)
        for kind, place in zip(KINDS, (0, 2), strict=True):
            columns = (own[:, place], own[:, place + 1], rest[:, place], rest[:, place + 1])
            p[f"{name} {kind}"] = exact_p([(int(a), int(b), int(c), int(d)) for a, b, c, d in zip(*columns, strict=True)])
    return holm(p)


def _error(name: str, cells: Array, reports: int, p: Mapping[str, float], differs: bool) -> ReadingError:
    found, missed, cleared, invented = (int(count) for count in cells.sum(axis=0))
    return ReadingError(
        name=name,
        reports=reports,
        found=found,
        positives=found + missed,
        cleared=cleared,
        negatives=cleared + invented,
        p={kind: p[f"{name} {kind}"] for kind in KINDS if f"{name} {kind}" in p},
        differs=differs,
    )
