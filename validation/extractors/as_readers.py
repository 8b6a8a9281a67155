"""Scores as readers would give them, for the systems of one board. Pure, but for `readers_score`, which reads files and a store."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from itertools import combinations
from pathlib import Path

import numpy as np

from harness.errors import InputError, Problem, UsageError
from harness.metrics import metric as make_metric
from harness.records.as_readers import AsReaders, CorrectedPair, CorrectedSystem, ModelledOrder, ModelledSystem, ReadingShare
from harness.records.ranks import patients_of
from harness.records.store import at as store_at
from harness.statistics import prediction_powered
from harness.statistics.intervals import Pseudo
from harness.statistics.paired import claimable, differences
from harness.statistics.prediction_powered import ReadSample
from harness.statistics.resample import RandomSource
from harness.types import Array, Metric, Rows
from validation.extractors import error_model, read_pairs, same_error
from validation.extractors.read_pairs import ReadPairs
from validation.extractors.results import ExtractorResult, Validation


def readers_score(
    originals: str | Path, read: Mapping[str, str | Path] | None = None, store: Path | str | None = None, alpha: float = 0.05
) -> AsReaders:
    """What readers would score, for systems of a store.

    Args:
        originals: A settled study of findings, its folder, or a label file: how people label the original reports that they read. A study
            with reports of systems holds both sides.
        read: By system (its name, or the start of its digest) the same for its reports about the same studies.
        store: The folder of the records; by default the one in `RANSCORE_HOME`.
        alpha: One less the confidence.

    Raises:
        UsageError: A system is not in the store, the systems are of several boards, or too few pairs were read.
        InputError: Labels and records do not belong together, or the rows of a system are not here.
    """
    place = store_at(Path(store) if store else Path())
    pairs = read_pairs.load(originals, read)
    found = {name: place.find(name).record for name in pairs.generated}
    if len({(record.cohort.digest, record.metrics[0].signature) for record in found.values()}) != 1:
        raise UsageError("these systems are not comparable: they were scored on different cohorts, or by different signatures")
    rows = {name: place.rows(record) for name, record in found.items()}
    if absent := [Problem("its rows are not here", "Score its reports again", name) for name, tables in rows.items() if not tables]:
        raise InputError(absent)
    cohort = next(iter(found.values())).cohort
    return of_pairs({name: tables[0] for name, tables in rows.items()}, patients_of(place, cohort), pairs, cohort.digest, alpha)


def of_pairs(rows: Mapping[str, Rows], patients: Mapping[str, str], pairs: ReadPairs, cohort: str, alpha: float = 0.05) -> AsReaders:
    """Estimates, paired differences and tests from read pairs; a system's numbers depend on no other but those of the tests.

    Args:
        rows: By record id the rows of the metric that ranks.
        patients: By study.
        pairs: What people read.
        cohort: Digest of the scored cohort.
        alpha: One less the confidence.

    Raises:
        UsageError: The pairs are of no system here, too few pairs were read, or the metric reads no labels.
        InputError: The pairs are of another cohort.
    """
    names = sorted(rows.keys() & pairs.generated.keys())
    if not names:
        raise UsageError(Problem("the read pairs are of no system of this board", "Name a record of the store"))
    read_pairs.check(pairs, cohort, rows[names[0]])
    metric = make_metric(rows[names[0]].metric)
    samples = {name: read_pairs.sample(metric, rows[name], patients, pairs, name) for name in names}
    known = {name: prediction_powered.pseudo(metric, item, prediction_powered.tuned(metric, item)) for name, item in samples.items()}
    errors = {item.name: item for item in same_error.compare({name: rows[name] for name in names}, pairs)}
    shares = {name: _share(item) for name, item in errors.items()}
    systems = tuple(_system(metric, name, samples[name], known[name], pairs, shares.get(name), alpha) for name in names)
    return AsReaders(
        pairs=pairs.digest,
        listed=pairs.listed,
        part=metric.headline,
        systems=systems,
        compared=_compared(metric.headline, known, alpha),
        originals=shares.get(same_error.ORIGINAL),
    )


def _system(
    metric: Metric, name: str, sample: ReadSample, known: Pseudo, pairs: ReadPairs, share: ReadingShare | None, alpha: float
) -> CorrectedSystem:
    found = prediction_powered.estimate(metric, sample, alpha=alpha, known=known)
    single = {f"f1:{finding}" for finding in claimable(metric.score(sample.extractor.sum(axis=0)))}
    return CorrectedSystem(
        id=name,
        pairs=len(pairs.studies(name)),
        patients=sample.readers,
        parts={part: item for part, item in found.items() if ":" not in part or part in single},
        reading=share,
    )


def _compared(headline: str, known: Mapping[str, Pseudo], alpha: float) -> tuple[CorrectedPair, ...]:
    """Every pair of systems under the headline, from these two alone."""
    one = {name: _one(headline, item) for name, item in known.items()}
    return tuple(_pair(first, second, one[first], one[second], alpha) for first, second in combinations(known, 2))


def _one(headline: str, known: Pseudo) -> tuple[Array, Array]:
    value, values = known.one(headline)
    return np.array(value), values


def _pair(first: str, second: str, one: tuple[Array, Array], other: tuple[Array, Array], alpha: float) -> CorrectedPair:
    found = differences(one[0] - other[0], one[1] - other[1], alpha)
    value, low, high, p = (float(item) for item in (found.value, found.low, found.high, found.p))
    return CorrectedPair(first=first, second=second, difference=value, low=low, high=high, p=p)


def _share(item: same_error.ReadingError) -> ReadingShare:
    return ReadingShare(
        reports=item.reports, sensitivity=item.sensitivity, specificity=item.specificity, p=dict(item.p), differs=item.differs
    )


def with_model(known: AsReaders, rows: Mapping[str, Rows], validation: Validation, result: ExtractorResult) -> AsReaders:
    """The same, with ranges and orders by a model of the error.

    Args:
        known: What the read pairs gave; empty without any.
        rows: By record id the rows of the metric that ranks.
        validation: How often the extractor is wrong.
        result: The extractor's part of it.
    """
    part = result.part("original") or result.parts[0]
    rates = error_model.rates(part)
    listed = {name: found for name, table in sorted(rows.items()) if (found := error_model.model_range(table, rates)) is not None}
    if not listed:
        return known
    shares = error_model.order_shares({name: rows[name] for name in listed}, rates, source=RandomSource(validation.digest))
    return replace(
        known,
        validation=validation.digest,
        ranges=tuple(ModelledSystem(id=name, low=item.low, high=item.high, findings=item.findings) for name, item in listed.items()),
        orders=tuple(_orders(list(listed), shares.tolist())),
    )


def _orders(names: Sequence[str], shares: Sequence[Sequence[float]]) -> list[ModelledOrder]:
    places = combinations(range(len(names)), 2)
    return [ModelledOrder(first=names[one], second=names[other], share=shares[one][other]) for one, other in places]
