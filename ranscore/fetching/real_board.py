"""A board of published outputs on real reports: cohort, systems, floors and ceilings, ranks."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path

from generators.bounds.floors import BOUNDS, bound, bounds_of
from harness.cohorts import rexrank
from harness.errors import InputError, Problem
from harness.formats import reports, tabular
from harness.formats.complaints import Complaints
from harness.formats.tabular import Row, Table
from harness.records import ranks, snapshot
from harness.records.store import Store
from harness.scoring import scorer
from harness.scoring.demo import scored_already
from harness.scoring.scorer import Scorer
from harness.storage.progress import progress
from harness.types import Cohort, Grade, Metric, ReportSet, Role, Section, SystemCard
from ranscore.fetching.entries import Entry

COHORT = "rexrank-iu"
"""The entry, and the cohort that is built from it."""
METRICS = ("ran-score", "bleu:coco|ptb", "rouge-l:coco|ptb", "cider:coco|ptb", "bleu:sentence|rexrank")
"""The board's own metrics, and the one of ReXrank that every machine computes."""


def cohort(path: Path) -> Cohort:
    """The 590 studies.

    Raises:
        InputError: The list is not ReXrank's.
    """
    return rexrank.build(path, name=COHORT)


def predictions(entry: Entry, path: Path, known: Cohort) -> ReportSet:
    """What a published file holds for the studies of a cohort, its columns renamed to those of reports files.

    Raises:
        InputError: It holds other studies, or cannot be read.
    """
    complaints = Complaints(str(path))
    table = tabular.read(path, complaints)
    names = {old: new for new, old in entry.columns.items()}
    renamed = replace(table, columns=tuple(names.get(name, name) for name in table.columns), rows=list(_renamed(table, names)))
    expected = [study.id for study in known.scored]
    found = reports.check(renamed, complaints, expected, known.manifest.section, set())
    complaints.check()
    return ReportSet(found, tuple(map(str, complaints.warnings)))


def _renamed(table: Table, names: dict[str, str]) -> Iterator[Row]:
    for row in table.rows:
        yield Row(row.line, {names.get(name, name): value for name, value in row.cells.items()})


def fill(store: Store, known: Cohort, systems: Sequence[tuple[Entry, Path]], now: Callable[[], str]) -> Store:
    """Score each system, the floors and the ceiling into a store, and rank them; what is there already is not scored again."""
    metrics: tuple[Metric, ...] = tuple(scorer.make_metrics(list(METRICS))[0])
    done = scored_already(store, known, metrics)
    made = scorer.scorer(known, metrics=list(METRICS))
    waiting = [(entry, path) for entry, path in systems if entry.system not in done]
    for entry, path in progress(waiting, "Scoring published outputs", unit="system"):
        card = SystemCard(entry.system, link=entry.source, sections=Section.FINDINGS)
        _add(store, made, predictions(entry, path, known), card, now())
    for name in bounds_of(known):
        if name not in done:
            role: Role = BOUNDS[name][0]
            _add(store, made, ReportSet(bound(name, known).reports), SystemCard(name, role=role), now())
    for found in ranks.make(store, created=now()):
        snapshot.save(store.root, found)
    return store


def _add(store: Store, made: Scorer, given: ReportSet, card: SystemCard, now: str) -> None:
    found = made.score(given, card, Grade.SCORED_HERE if card.role is Role.SYSTEM else Grade.REGENERATED, now)
    store.add(found.record, found.rows, dict(given.reports), found.sides.patients)


def one(paths: Sequence[Path], entry: Entry) -> Path:
    """The only file of an entry.

    Raises:
        InputError: It has none, or several.
    """
    if len(paths) != 1:
        raise InputError(Problem(f"{entry.name} has {len(paths)} files, not one", "Report it"))
    return paths[0]
