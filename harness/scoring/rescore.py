"""Score the reports that a store kept again, when a metric or an extractor has a new version. What was there stays."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from harness import cohorts
from harness.config.home import home
from harness.errors import RanscoreError, StoreError
from harness.records.record import Record
from harness.records.store import Store, Stored, newest
from harness.scoring import scorer
from harness.signature import spec_of
from harness.storage.progress import progress
from harness.storage.stored import each
from harness.types import Cohort, ReportSet


@dataclass(frozen=True, slots=True)
class Rescored:
    """What became of one record."""

    old: Stored
    new: Record | None = None
    """None where it could not be scored again."""
    reason: str = ""
    """Why not; empty where it was."""

    @property
    def same(self) -> bool:
        """Whether nothing changed."""
        return self.new is not None and self.new.digest == self.old.record.digest


def rescore(
    store: Store,
    known: Mapping[str, Cohort],
    *,
    extractor: str = "",
    options: Mapping[str, Any] | None = None,
    metrics: Sequence[str] | None = None,
    created: str = "",
) -> Iterator[Rescored]:
    """Score every valid record again that has its reports here, and keep what came out beside the old record.

    Card and evidence grade stay as they were. One record that fails does not stop the others.

    Args:
        store: Old and new records.
        known: Cohorts by digest.
        extractor: Who labels; by default the extractor of the same name as before, in its present version.
        metrics: Further ones; those that the old record holds are scored in their present versions in any case, so that no score leaves
            the board.
        created: UTC time of the new records.
    """
    for old in progress(newest(store.all()), "Scoring again", unit="record"):
        cohort = known.get(old.record.cohort.digest)
        try:
            reports = store.reports(old)
        except StoreError as error:
            yield Rescored(old, reason=str(error))
            continue
        if reports is None:
            yield Rescored(old, reason="its reports were not kept")
        elif cohort is None:
            yield Rescored(old, reason="its cohort is not here")
        else:
            yield _again(store, old, reports, cohort, extractor, options or {}, metrics, created)


def _again(
    store: Store,
    old: Stored,
    reports: Mapping[str, str],
    cohort: Cohort,
    extractor: str,
    options: Mapping[str, Any],
    metrics: Sequence[str] | None,
    created: str,
) -> Rescored:
    record = old.record
    before = next((card.name for card in record.extractors), "lexical")
    try:
        made = scorer.score(
            predictions=ReportSet(reports),
            references=cohort,
            extractor=extractor or before,
            options=options,
            metrics=list(dict.fromkeys([*(spec_of(result.signature) for result in record.metrics), *(metrics or ())])),
            card=record.system,
            grade=record.grade,
            created=created,
        )
    except RanscoreError as error:
        return Rescored(old, reason=str(error))
    if made.record.digest != record.digest:
        store.add(made.record, made.rows, reports, made.sides.patients)
    else:
        # What was damaged of its rows and patients is whole again.
        store.keep_rows(record, made.rows, made.sides.patients)
    return Rescored(old, made.record)


def cohorts_here() -> dict[str, Cohort]:
    """The built cohorts of this machine, by digest."""
    folders = [path.parent for path in cohorts.manifests(home() / "cohorts")]
    return {cohort.manifest.digest: cohort for cohort in each(folders, cohorts.load)}
