"""From stored rows to a snapshot: who is ranked, every pair, places."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from importlib import metadata
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from harness import cohorts, config
from harness.config.home import home
from harness.errors import Problem, StoreError
from harness.metrics import metric as make_metric
from harness.records.record import CohortCard
from harness.records.snapshot import MetricSnapshot, Place, Snapshot, Tests
from harness.records.store import Store, Stored, newest
from harness.statistics.intervals import PUBLISHED, Pseudo, pseudo
from harness.statistics.paired import FEW, Differences, against_rest, claimable, differing, least_detectable
from harness.statistics.resample import patient_totals
from harness.storage.progress import progress
from harness.storage.stored import each, exists, tell
from harness.types import Array, Grade, Metric, Rows

Flags = NDArray[np.bool_]

ALL_PARTS_UP_TO = 100
"""With more systems than this only headlines are tested pair by pair; `ranscore compare` still tests everything of a few."""


@dataclass(frozen=True, slots=True)
class Rules:
    """How a board is ranked."""

    alpha: float = 0.05
    """What counts as significant."""
    public: bool = False
    """Whether the board is for other people: then what its owner scored alone has no rank (decision 20 in docs/architecture.md)."""

    def ranks(self, item: Stored) -> bool:
        """Whether a record takes part in the ranks."""
        return not item.record.unranked and not (self.public and item.record.grade is Grade.LOCAL)


def make(store: Store, *, alpha: float = 0.05, created: str = "", aside: Callable[[StoreError], object] = tell) -> tuple[Snapshot, ...]:
    """A snapshot of every board of a store: one for each cohort and signature of the metric that ranks.

    Args:
        store: The records and their rows.
        alpha: What counts as significant.
        created: UTC time of the snapshots.
        aside: Takes the error of a record whose rows are damaged, which then takes no part, and of a board that cannot be ranked.
    """
    rules = Rules(alpha, config.is_public(store.root.parent))
    groups: dict[tuple[str, str], list[Stored]] = {}
    for item in newest(store.all()):
        if item.record.metrics:
            groups.setdefault((item.record.cohort.digest, item.record.metrics[0].signature), []).append(item)
    made = []
    for _, group in sorted(groups.items()):
        try:
            made.append(_board(store, group, rules, created, aside))
        except StoreError as error:
            aside(error)
    return tuple(made)


def _board(store: Store, group: Sequence[Stored], rules: Rules, created: str, aside: Callable[[StoreError], object]) -> Snapshot:
    cohort = group[0].record.cohort
    patients = patients_of(store, cohort)
    listed = [(item, _rows(store, item, aside)) for item in progress(group, f"Ranking {cohort.name}", unit="record")]
    return of(listed, patients, rules, created=created)


def of(
    listed: Sequence[tuple[Stored, Sequence[Rows]]], patients: Mapping[str, str], rules: Rules | None = None, *, created: str = ""
) -> Snapshot:
    """The snapshot of one board, whatever the order in which its records are given.

    Args:
        listed: Records of one cohort and one signature of the metric that ranks, each with its rows in the order of its metrics; a record
            without rows takes no part.
        patients: By study.
        rules: How it is ranked.
        created: UTC time of the snapshot.

    Raises:
        StoreError: The rows are not of the same studies.
    """
    rules = rules or Rules()
    tables: dict[str, list[tuple[Stored, Rows]]] = {}
    absent = []
    for item, found in sorted(listed, key=lambda pair: pair[0].id):
        if not found:
            absent.append(item.id)
        for result, rows in zip(item.record.metrics, found, strict=False):
            tables.setdefault(result.signature, []).append((item, rows))
    first = listed[0][0].record
    return Snapshot(
        cohort=first.cohort.digest,
        board=first.metrics[0].signature,
        metrics=tuple(_metric(signature, each_of, patients, rules) for signature, each_of in tables.items()),
        alpha=rules.alpha,
        method=PUBLISHED,
        without_rows=tuple(absent),
        created=created,
        program=metadata.version("ranscore"),
    )


def _rows(store: Store, item: Stored, aside: Callable[[StoreError], object]) -> tuple[Rows, ...]:
    try:
        return store.rows(item.record)
    except StoreError as error:
        aside(error)
        return ()


def patients_of(store: Store, cohort: CohortCard) -> Mapping[str, str]:
    """Whose study each one is: from the store, else from the built cohort of the same digest beside it or in RANSCORE_HOME.

    Raises:
        StoreError: Neither knows.
    """
    try:
        return store.patients(cohort)
    except StoreError as error:
        for root in dict.fromkeys((store.root.parent, home())):
            for manifest in each(cohorts.manifests(root / "cohorts"), cohorts.load_manifest):
                if manifest.digest == cohort.digest:
                    if exists(store.patients_path(cohort)):
                        tell(error)
                    return {study.id: study.patient for study in manifest.studies}
        raise


def of_two(
    first: tuple[Stored, Sequence[Rows]], second: tuple[Stored, Sequence[Rows]], patients: Mapping[str, str], alpha: float = 0.05
) -> dict[str, MetricSnapshot]:
    """Every test of two systems, by signature: what the snapshot of a large board leaves out.

    Args:
        first: A record and its rows, in the order of its metrics.
        second: Another one on the same cohort.
        patients: By study.
        alpha: What counts as significant.

    Raises:
        StoreError: The rows are not of the same studies.
    """
    known = {result.signature: rows for result, rows in zip(second[0].record.metrics, second[1], strict=False)}
    both = [(result.signature, rows) for result, rows in zip(first[0].record.metrics, first[1], strict=False) if result.signature in known]
    return {
        signature: _metric(
            signature, sorted([(first[0], rows), (second[0], known[signature])], key=lambda item: item[0].id), patients, Rules(alpha)
        )
        for signature, rows in both
    }


def _metric(signature: str, listed: Sequence[tuple[Stored, Rows]], patients: Mapping[str, str], rules: Rules) -> MetricSnapshot:
    for (one, left), (other, right) in pairwise(listed):
        if left.studies != right.studies or left.columns != right.columns:
            raise StoreError(Problem(f"the rows of {one.id} and {other.id} are not of the same studies", "Score the reports again"))
    metric = make_metric(listed[0][1].metric)
    totals = [patient_totals(rows, patients) for _, rows in listed]
    wanted = tested(metric, totals[0], len(listed))
    scored = [pseudo(metric, table, wanted.__contains__) for table in totals]
    ids, in_ranks = tuple(item.id for item, _ in listed), np.array([rules.ranks(item) for item, _ in listed])
    ranked = np.flatnonzero(in_ranks)
    apart = np.triu(differing([totals[index] for index in ranked]) >= FEW, 1) if len(ranked) else np.zeros((0, 0), bool)
    places, tests, detectable = {}, {}, {}
    for part in scored[0].names:
        values, found = pairs(scored, part, rules.alpha)
        tests[part] = Tests(*(_triangle(array) for array in (found.value, found.low, found.high, found.p)))
        better = _better(found, rules.alpha, metric.higher_is_better)
        places[part] = _places(ids, in_ranks, better, values if metric.higher_is_better else -values)
        least = least_detectable(found.error[np.ix_(ranked, ranked)][apart].tolist(), rules.alpha)
        if least is not None:
            detectable[part] = least
    return MetricSnapshot(
        name=metric.name,
        signature=signature,
        headline=metric.headline,
        higher_is_better=metric.higher_is_better,
        systems=ids,
        ranked=tuple(np.array(ids)[in_ranks].tolist()),
        places=places,
        tests=tests,
        detectable=detectable,
    )


def tested(metric: Metric, table: Array, systems: int) -> frozenset[str]:
    """Which parts are tested pair by pair: every score as a whole, and F1 of the findings with enough positives."""
    if systems > ALL_PARTS_UP_TO:
        return frozenset({metric.headline})
    whole = metric.score(table.sum(axis=0))
    single = {f"f1:{finding}" for finding in claimable(whole)}
    return frozenset({part for part in whole if ":" not in part} | (single & whole.keys()))


def pairs(scored: Sequence[Pseudo], part: str, alpha: float) -> tuple[Array, Differences]:
    """Scores of all systems under one part, and the matrix of row less column."""
    listed = [item.one(part) for item in scored]
    values, systems = np.array([value for value, _ in listed]), np.stack([pseudos for _, pseudos in listed])
    size = len(listed)
    blank = {name: np.zeros((size, size)) for name in ("value", "low", "high", "error")} | {"p": np.ones((size, size))}
    for row, rest in against_rest(systems, values, alpha):
        for name, sign, source in (("value", -1, rest.value), ("low", -1, rest.high), ("high", -1, rest.low)):
            blank[name][row, row + 1 :] = getattr(rest, name)
            blank[name][row + 1 :, row] = sign * source
        for name in ("p", "error"):
            blank[name][row, row + 1 :] = blank[name][row + 1 :, row] = getattr(rest, name)
    return values, Differences(blank["value"], blank["low"], blank["high"], blank["p"], blank["error"])


def _triangle(matrix: Array) -> tuple[float, ...]:
    return tuple(matrix[np.triu_indices(len(matrix), 1)].tolist())


def _better(found: Differences, alpha: float, higher: bool) -> Flags:
    """Whether row is significantly better than column."""
    return np.asarray((found.p < alpha) & ((found.value > 0) if higher else (found.value < 0)))


def _places(ids: Sequence[str], in_ranks: Flags, better: Flags, goodness: Array) -> dict[str, Place]:
    taking = np.flatnonzero(in_ranks)
    if not len(taking):
        return {}
    among = better[np.ix_(taking, taking)]
    top = int(np.argmax(goodness[taking]))
    over, under = among.sum(axis=0), among.sum(axis=1)
    return {
        ids[index]: Place(1 + int(over[at]), 1 + int(over[at]), len(taking) - int(under[at]), not among[top, at])
        for at, index in enumerate(taking.tolist())
    }
