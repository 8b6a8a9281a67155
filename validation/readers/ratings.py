"""What a rating says: how each system was judged, and how every metric of the store orders the same systems and the same reports."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import special, stats

from harness.metrics import metric as make_metric
from harness.records.store import Store
from harness.statistics.intervals import moments, percentile
from harness.statistics.resample import RandomSource, weights
from harness.types import Array, Json, Rows
from validation.readers.questions import JUDGEMENT
from validation.readers.rule import Answers
from validation.readers.study import ReadingStudy

DRAWS = 1000
Flags = NDArray[np.bool_]
Indices = NDArray[np.intp]


@dataclass(frozen=True, slots=True)
class RatedMetric:
    """One metric on the rated reports."""

    signature: str
    reports: Array
    """By item its score alone; higher is better; NaN where the store has no row."""
    systems: Array
    """Shape (items, columns): the rows, for scores of whole systems."""
    metric: str
    """Its name and recipe, as the registry takes it."""


def judged(study: ReadingStudy, found: Sequence[Answers]) -> list[Json]:
    """How each system was judged: mean over reports of the readers' answers, with the interval over patients.

    The overall judgement counts 2 for appropriate and concise, 1 for acceptable, 0 for inapplicable; a fault counts 1.
    """
    rows = []
    for system in systems(study):
        inside = [index for index, item in enumerate(study.items) if item.system == system]
        means = {}
        for one in found:
            by_patient: dict[str, list[float]] = {}
            for index in inside:
                given = [value for value in one.first[index] if isinstance(value, int)]
                if given:
                    by_patient.setdefault(study.items[index].patient, []).append(float(np.mean(given)))
            means[one.question.id] = _mean(list(by_patient.values()), 2.0 if one.question.id == JUDGEMENT else 1.0)
        rows.append(
            {"system": study.items[inside[0]].system_name, "reports": len(inside), "means": means, "shares": _shares(found, inside)}
        )
    return rows


def _shares(found: Sequence[Answers], inside: Sequence[int]) -> Json:
    """How often each overall judgement was given."""
    one = next((item for item in found if item.question.id == JUDGEMENT), None)
    if one is None:
        return {}
    given = [value for index in inside for value in one.first[index] if value is not None]
    return {str(value): given.count(value) / len(given) if given else 0.0 for value in one.question.values}


def systems(study: ReadingStudy) -> list[str]:
    """Ids of the rated records, in the order of the items."""
    return list(dict.fromkeys(item.system for item in study.items if item.system))


def _mean(groups: Sequence[Sequence[float]], most: float) -> list[float]:
    """Mean over all, and its interval with patients as clusters."""
    sums, sizes = np.array([sum(group) for group in groups]), np.array([len(group) for group in groups], dtype=np.float64)
    if not len(groups):
        return [0.0, 0.0, most]
    value, count = float(sums.sum() / sizes.sum()), len(groups)
    if count < 2:
        return [value, 0.0, most]
    _, error, freedom = moments((sums - value * sizes) * count / sizes.sum())
    # Equal values in every patient: 95 % confidence cannot exclude another value in so large a share of them.
    half = float(special.stdtrit(freedom, 0.975) * error) if error > 0 else most * (1 - 0.025 ** (1 / count))
    return [value, max(0.0, value - half), min(most, value + half)]


def against_metrics(study: ReadingStudy, found: Sequence[Answers], store: Store) -> list[Json]:
    """Kendall's tau-b between readers' overall judgement and every metric that all rated records have.

    Returns:
        By metric: `across` (all reports at once), `within` (systems on one study, mean over studies) and `systems` (whole systems), each
        with its interval over patients. An entry is None where readers or metric distinguish nothing.
    """
    one = next((item for item in found if item.question.id == JUDGEMENT), None)
    if one is None:
        return []
    given = [[value for value in row if isinstance(value, int)] for row in one.first]
    opinion = np.array([float(np.mean(row)) if row else np.nan for row in given])
    return [_row(study, opinion, scored) for scored in metrics(study, store)]


def metrics(study: ReadingStudy, store: Store) -> list[RatedMetric]:
    """Every metric that all rated records have, on the rated reports."""
    kept = {name: store.find(name) for name in systems(study)}
    tables = {
        name: {result.signature: rows for result, rows in zip(item.record.metrics, store.rows(item.record), strict=False)}
        for name, item in kept.items()
    }
    shared = [signature for signature in next(iter(tables.values()), {}) if all(signature in table for table in tables.values())]
    return [_scored(study, signature, {name: table[signature] for name, table in tables.items()}) for signature in shared]


def _scored(study: ReadingStudy, signature: str, tables: Mapping[str, Rows]) -> RatedMetric:
    spec = next(iter(tables.values())).metric
    metric = make_metric(spec)
    place = {name: {item: index for index, item in enumerate(rows.studies)} for name, rows in tables.items()}
    values = np.full((len(study.items), len(metric.columns)), np.nan)
    for index, item in enumerate(study.items):
        if item.study in place[item.system]:
            values[index] = tables[item.system].values[place[item.system][item.study]]
    parts = metric.score(np.nan_to_num(values))
    # For one report the pooled F1 of its findings says more than a mean over findings, most of which it does not have.
    one = np.asarray(parts.get("micro-f1", parts[metric.headline]), dtype=np.float64)
    sign = 1.0 if metric.higher_is_better else -1.0
    return RatedMetric(signature, np.where(np.isnan(values).any(axis=1), np.nan, sign * one), values, spec)


def _row(study: ReadingStudy, opinion: Array, scored: RatedMetric) -> Json:
    known = ~np.isnan(opinion) & ~np.isnan(scored.reports)
    owner = np.unique([item.patient for item in study.items], return_inverse=True)[1].astype(np.intp)
    return {
        "metric": scored.signature,
        "reports": int(known.sum()),
        "across": _across(opinion[known], scored.reports[known], owner[known]),
        "within": _within(study, opinion, scored.reports, known),
        "systems": _systems(study, opinion, scored, known, owner),
    }


def tau(one: Array, other: Array) -> float:
    """Kendall's tau-b; NaN where one of the two distinguishes nothing."""
    if len(one) < 2 or np.ptp(one) == 0 or np.ptp(other) == 0:
        return float("nan")
    return float(stats.kendalltau(one, other).statistic)


def _across(opinion: Array, score: Array, owner: Indices) -> list[float] | None:
    """Over all reports; the jackknife leaves a patient out."""
    value, patients = tau(opinion, score), np.unique(owner)
    if np.isnan(value) or len(patients) < 3:
        return None
    left = np.array([tau(opinion[owner != patient], score[owner != patient]) for patient in patients])
    _, error, freedom = moments((len(patients) - 1) * (value - np.nan_to_num(left, nan=value)))
    half = float(special.stdtrit(freedom, 0.975) * error)
    return [value, max(-1.0, value - half), min(1.0, value + half)]


def _within(study: ReadingStudy, opinion: Array, score: Array, known: Flags) -> list[float] | None:
    """Systems on one study, mean over studies."""
    by_study: dict[str, list[int]] = {}
    for index, item in enumerate(study.items):
        if known[index]:
            by_study.setdefault(item.study, []).append(index)
    patient = {item.study: item.patient for item in study.items}
    groups: dict[str, list[float]] = {}
    for name, inside in by_study.items():
        value = tau(opinion[inside], score[inside])
        if not np.isnan(value):
            groups.setdefault(patient[name], []).append(value)
    if len(groups) < 3:
        return None
    mean, low, high = _mean([[value + 1 for value in group] for group in groups.values()], 2.0)
    return [mean - 1, low - 1, high - 1]


def _systems(study: ReadingStudy, opinion: Array, scored: RatedMetric, known: Flags, owner: Indices) -> list[float] | None:
    """Whole systems: their mean judgement against their score on the rated reports; the interval draws patients."""
    metric = make_metric(scored.metric)
    names = systems(study)
    member = np.array([[item.system == name for item in study.items] for name in names]) & known
    if len(names) < 3 or not member.any(axis=1).all():
        return None
    sign = 1.0 if metric.higher_is_better else -1.0
    rows, said = np.nan_to_num(scored.systems), np.nan_to_num(opinion)

    def orders(times: Array) -> list[float]:
        """Tau of each draw; `times` says how often each patient was drawn."""
        weight = member * times[:, None, owner]
        score = np.asarray(metric.score(weight @ rows)[metric.headline])
        judged = (weight @ said) / np.maximum(weight.sum(axis=-1), 1e-12)
        return [tau(one, sign * other) for one, other in zip(judged, score, strict=True)]

    patients = int(owner.max()) + 1
    value = orders(np.ones((1, patients)))[0]
    if np.isnan(value):
        return None
    blocks = weights(patients, DRAWS, RandomSource(study.digest))
    drawn = np.array([one for block in blocks for one in orders(block.astype(np.float64))])
    low, high = percentile(drawn[~np.isnan(drawn)])
    return [value, min(low, value), max(high, value)]
