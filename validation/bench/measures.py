"""What a metric sees: discrimination, robustness, attributes and monotonicity, within references and with intervals over them.

The definitions are this project's own (`docs/what-metrics-see.md`): the paper that names the ideas prints no formula.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from harness.statistics import paired
from harness.types import Array
from validation.bench.correlation import tau_b
from validation.bench.estimates import Estimate, mean, ratio
from validation.bench.kinds import MULTIPLE, SAME, EditGroup, group_of
from validation.bench.pairs import BenchPair
from validation.bench.scoring import MetricScores

_DIGITS = 10
"""Scores that are equal to so many digits are equal: sums of floats in another order differ in the last ones."""


@dataclass(frozen=True, slots=True)
class KindMeasure:
    """What one metric makes of one kind."""

    auc: Estimate
    """P(score < that of a harmless edit of the same reference that changes the number of words alike) + P(equal) / 2."""
    auc_all: Estimate
    """The same against all harmless edits of the reference."""
    keeps: Estimate
    """The share of pairs after which the score is what it was."""
    drop: float | None
    """Mean of the score of the report with itself less that of the pair."""


@dataclass(frozen=True, slots=True)
class MetricMeasure:
    """What one metric makes of all kinds."""

    name: str
    signature: str
    discrimination: Estimate
    """Mean of `auc` over the kinds of one significant error."""
    discrimination_all: Estimate
    """The same against all harmless edits of the reference."""
    against_rewording: Estimate
    """The same against one sentence in other words, whatever its length: the comparison that flatters word overlap least."""
    attributes: Estimate
    """Mean of `auc` over the kinds of attributes."""
    attributes_all: Estimate
    """The same against all harmless edits of the reference."""
    robustness: Estimate
    """One less the mean drop of harmless edits by the mean drop of one significant error."""
    unmoved: Estimate
    """The share of harmless edits after which the score is what it was."""
    monotonicity: Estimate
    """Mean of tau-b between the score and minus the number of errors, 0 to 3."""
    verdict: Mapping[str, float | None]
    """The metric as a judge, on the second half of the references: `discrimination`, `robustness`, `balance`, `bias`."""
    kinds: Mapping[str, KindMeasure]
    tests: Mapping[str, tuple[float, float]]
    """By `discrimination` and `attributes`: difference from the first metric, and p after Holm's correction."""


class Bench:
    """Pairs by reference, prepared once for all metrics.

    Args:
        pairs: In any order; the pairs of one reference need not follow each other.
    """

    def __init__(self, pairs: Sequence[BenchPair]) -> None:
        self.pairs = pairs
        self.references = list(dict.fromkeys(pair.reference_id for pair in pairs))
        place = {name: index for index, name in enumerate(self.references)}
        self.owner = np.array([place[pair.reference_id] for pair in pairs])
        self.longer = np.array([pair.longer for pair in pairs])
        self.kind = np.array([pair.kind for pair in pairs])
        self.group = np.array([_group(pair) for pair in pairs])
        self.errors = np.array([pair.errors for pair in pairs])

    @cached_property
    def rivals(self) -> tuple[Array, ...]:
        """For each pair the indices of the harmless edits of its reference, for errors alone."""
        harmless = self.group == EditGroup.HARMLESS
        by_owner = [np.flatnonzero(harmless & (self.owner == owner)) for owner in range(len(self.references))]
        return tuple(by_owner[owner] for owner in self.owner)

    @cached_property
    def rewording(self) -> tuple[str, ...]:
        """The kind that says the same in other words: whole sentences, or what a writer called wording."""
        return ("rephrased",) if "rephrased" in self.kinds else ("wording",)

    @cached_property
    def kinds(self) -> tuple[str, ...]:
        """The kinds of the pairs, in the order in which they come first."""
        return tuple(dict.fromkeys(self.kind.tolist()))

    def wins(self, scores: Array, matched: bool, among: tuple[str, ...] = ()) -> Array:
        """For each pair the share of harmless rivals that score above it, ties as a half; NaN where it has no rival.

        Args:
            scores: One a pair.
            matched: Take rivals alone that change the number of words as the pair does.
            among: The kinds of the rivals; empty for all harmless ones.
        """
        shares = np.full(len(self.pairs), np.nan)
        allowed = np.isin(self.kind, among) if among else np.ones(len(self.pairs), dtype=bool)
        for index, rivals in enumerate(self.rivals):
            others = rivals[(rivals != index) & allowed[rivals] & ((self.longer[rivals] == self.longer[index]) | (not matched))]
            if len(others):
                shares[index] = np.mean((scores[others] > scores[index]) + 0.5 * (scores[others] == scores[index]))
        return shares

    def by_reference(self, values: Array, chosen: Array) -> Array:
        """The mean of the chosen pairs' values for each reference; NaN where there is none."""
        use = chosen & ~np.isnan(values)
        count = np.bincount(self.owner[use], minlength=len(self.references))
        total = np.bincount(self.owner[use], weights=values[use], minlength=len(self.references))
        return np.asarray(np.divide(total, count, out=np.full(len(self.references), np.nan), where=count > 0))

    def drops(self, scores: Array) -> Array:
        """For each pair the score of its reference with itself less its own; NaN where there is no such pair."""
        own = self.by_reference(scores, self.kind == SAME.name)
        return np.asarray(own[self.owner] - scores)


def _group(pair: BenchPair) -> EditGroup:
    """The group that counts for a pair: what its writer said decides between harmless and significant."""
    group = group_of(pair.kind)
    return EditGroup.SIGNIFICANT if group is EditGroup.HARMLESS and pair.significant else group


@dataclass(frozen=True, slots=True)
class _Prepared:
    """One metric's values by reference that several measures need."""

    wins: Array
    wins_all: Array
    wins_rewording: Array
    drops: Array
    kept: Array
    """1 where the score is what it was, else 0."""
    single: Array
    """Which pairs have one significant error."""


def measure(pairs: Sequence[BenchPair], scores: Sequence[MetricScores]) -> tuple[MetricMeasure, ...]:
    """Measure metrics on the same pairs; the first is the one that the others are tested against."""
    bench = Bench(pairs)
    single = (bench.group == EditGroup.SIGNIFICANT) & ~np.isin(bench.kind, MULTIPLE)
    found, values = [], []
    for item in scores:
        rounded = np.round(item.values, _DIGITS)
        drops = bench.drops(rounded)
        ready = _Prepared(
            bench.wins(rounded, True),
            bench.wins(rounded, False),
            bench.wins(rounded, False, bench.rewording),
            drops,
            np.where(np.isnan(drops), np.nan, np.round(drops, _DIGITS) == 0),
            single,
        )
        values.append(
            {
                "discrimination": bench.by_reference(ready.wins, single),
                "attributes": bench.by_reference(ready.wins, bench.group == EditGroup.ATTRIBUTE),
            }
        )
        found.append((item, rounded, ready))
    tests = _tests(values)
    return tuple(
        _of_metric(bench, item, rounded, ready, both, test) for (item, rounded, ready), both, test in zip(found, values, tests, strict=True)
    )


def _of_metric(
    bench: Bench,
    item: MetricScores,
    rounded: Array,
    ready: _Prepared,
    values: Mapping[str, Array],
    tests: Mapping[str, tuple[float, float]],
) -> MetricMeasure:
    harmless = bench.group == EditGroup.HARMLESS
    return MetricMeasure(
        item.name,
        item.signature,
        mean(values["discrimination"]),
        mean(bench.by_reference(ready.wins_all, ready.single)),
        mean(bench.by_reference(ready.wins_rewording, ready.single)),
        mean(values["attributes"]),
        mean(bench.by_reference(ready.wins_all, bench.group == EditGroup.ATTRIBUTE)),
        ratio(bench.by_reference(ready.drops, harmless), bench.by_reference(ready.drops, ready.single)),
        mean(bench.by_reference(ready.kept, harmless)),
        mean(_monotonicity(bench, rounded), (-1.0, 1.0)),
        _verdict(bench, rounded, item.name),
        {kind: _of_kind(bench, kind, ready) for kind in bench.kinds if kind != SAME.name},
        tests,
    )


def _of_kind(bench: Bench, kind: str, ready: _Prepared) -> KindMeasure:
    chosen = bench.kind == kind
    drops = ready.drops[chosen & ~np.isnan(ready.drops)]
    return KindMeasure(
        mean(bench.by_reference(ready.wins, chosen)),
        mean(bench.by_reference(ready.wins_all, chosen)),
        mean(bench.by_reference(ready.kept, chosen)),
        float(drops.mean()) if len(drops) else None,
    )


def _monotonicity(bench: Bench, scores: Array) -> Array:
    """For each reference tau-b over the report itself and its pairs of one, two and three significant errors."""
    chosen = (bench.kind == SAME.name) | (bench.group == EditGroup.SIGNIFICANT)
    found = np.full(len(bench.references), np.nan)
    for owner in range(len(bench.references)):
        own = chosen & (bench.owner == owner)
        if len(set(bench.errors[own])) > 2:
            # A score without any order has none with the errors.
            found[owner] = np.nan_to_num(tau_b(scores[own], -bench.errors[own].astype(np.float64)))
    return found


def _verdict(bench: Bench, scores: Array, name: str) -> dict[str, float | None]:
    """The metric as a judge: an error is a score below a threshold, chosen on every other reference, tried on the rest."""
    single = (bench.group == EditGroup.SIGNIFICANT) & ~np.isin(bench.kind, MULTIPLE)
    harmless = bench.group == EditGroup.HARMLESS
    learning, trying = bench.owner % 2 == 0, bench.owner % 2 == 1
    if not all((group & half).any() for group in (single, harmless) for half in (learning, trying)):
        return dict.fromkeys(("discrimination", "robustness", "balance", "bias"))
    limit = threshold(scores[single & learning], scores[harmless & learning])
    caught = float(np.mean(scores[single & trying] <= limit))
    spared = float(np.mean(scores[harmless & trying] > limit))
    return {"discrimination": caught, "robustness": spared, "balance": (caught + spared) / 2, "bias": caught - spared}


def threshold(errors: Array, harmless: Array) -> float:
    """The score up to which a pair is called an error: the one of best balance, the lowest where several are (Youden)."""
    limits = np.unique(np.concatenate([errors, harmless]))
    balance = [float(np.mean(errors <= limit) + np.mean(harmless > limit)) for limit in limits]
    return float(limits[int(np.argmax(np.round(balance, _DIGITS)))])


def _tests(values: Sequence[Mapping[str, Array]]) -> list[dict[str, tuple[float, float]]]:
    """Each metric against the first, reference by reference."""
    found: list[dict[str, tuple[float, float]]] = [{} for _ in values]
    for name in values[0] if values else ():
        raw: dict[str, float] = {}
        gaps: dict[str, float] = {}
        for number, item in enumerate(values[1:], 1):
            apart = item[name] - values[0][name]
            apart = apart[~np.isnan(apart)]
            if len(apart) > 1:
                gaps[str(number)] = float(apart.mean())
                raw[str(number)] = float(paired.differences(apart.mean(), apart).p)
        for number_, p in paired.holm(raw).items():
            found[int(number_)][name] = (gaps[number_], p)
    return found
