"""A few systems side by side: every metric, every finding, the deciding test with swaps and the bootstrap beside it."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from itertools import combinations
from math import isfinite

from harness.errors import UsageError
from harness.metrics import metric as make_metric
from harness.optional import ByFinding
from harness.records.plotted import Point
from harness.records.record import Record, short
from harness.records.result_table import Presented, ResultTable, Value
from harness.records.snapshot import Pair
from harness.statistics.intervals import Interval, pseudo
from harness.statistics.paired import FEW, bootstrap_difference, claimable, compare, holm, swap_tests
from harness.statistics.resample import RandomSource, parts, patient_totals
from harness.storage.progress import progress
from harness.types import Json, Metric, Rows


@dataclass(frozen=True, slots=True)
class Line:
    """One part of one metric in both systems."""

    part: str
    first: float
    second: float
    pair: Pair | None
    """The deciding test; None for a finding with too few positive references."""
    swapped: float | None
    """Two-sided p of swapping rows at random."""
    drawn: Interval | None
    """The bootstrap's percentile interval of the difference."""


@dataclass(frozen=True, slots=True)
class MetricComparison:
    """One metric of two systems."""

    signature: str
    headline: str
    higher_is_better: bool
    scores: tuple[Line, ...]
    """The headline first, then the other scores as a whole."""
    findings: tuple[Line, ...]
    """F1 of each finding, in the metric's order, with Holm's correction over those that are tested; empty for metrics on text."""


@dataclass(frozen=True, slots=True, kw_only=True, repr=False)
class Comparison(Presented):
    """Two systems on one cohort."""

    first: str
    second: str
    digests: tuple[str, str]
    metrics: tuple[MetricComparison, ...]
    left_out: tuple[str, ...]
    """Metrics that only one of the two has, or with another signature."""
    alpha: float
    draws: int
    seed: int

    def __repr__(self) -> str:
        named = replace(self, first=short(self.first, 30), second=short(self.second, 30))
        return f"<Comparison: {verdict(named, self.metrics[0]) if self.metrics else 'they share no metric'}>"

    def table(self) -> ResultTable:
        """Every score and finding of both, the difference, its interval and p."""
        header = ("metric", "score", self.first, self.second, "difference", "low", "high", "p", "p by Holm")
        rows = [_row(metric, line) for metric in self.metrics for line in (*metric.scores, *metric.findings)]
        caption = (
            f"{self.first} less {self.second}, {100 * (1 - self.alpha):g} % intervals; a finding without p has fewer than {FEW} positives"
        )
        return ResultTable(name="comparison", caption=caption, header=header, rows=tuple(rows))

    def points(self) -> tuple[Point, ...]:
        """The difference in the first metric and in each finding, with its interval."""
        lines = [line for metric in self.metrics[:1] for line in (metric.scores[0], *metric.findings)]
        return tuple(_point(line) for line in lines)


def _row(metric: MetricComparison, line: Line) -> tuple[Value, ...]:
    name, pair = line.part.removeprefix("f1:"), line.pair
    tested = (known(pair.low), known(pair.high), pair.p, pair.adjusted) if pair else (None, None, None, None)
    return (metric.signature.split("|")[0], name, line.first, line.second, line.first - line.second, *tested)


def known(end: float) -> float | None:
    """An end of an interval; None where it is not known."""
    return end if isfinite(end) else None


def _point(line: Line) -> Point:
    value = line.first - line.second
    low, high = (line.pair.low, line.pair.high) if line.pair and isfinite(line.pair.low + line.pair.high) else (value, value)
    return Point(name=line.part.removeprefix("f1:"), value=value, low=low, high=high, quiet=line.pair is None)


def compare_all(
    systems: Sequence[tuple[Record, Sequence[Rows]]],
    patients: Mapping[str, str],
    *,
    alpha: float = 0.05,
    draws: int = 10_000,
    seed: int = 0,
) -> tuple[Comparison, ...]:
    """Every pair of a few systems, in the order in which they are named.

    Args:
        systems: Records of one cohort with their rows.
        patients: By study id the patient; a study that is not named is its own patient.

    Raises:
        UsageError: The records are not of one cohort, or one is named twice.
    """
    if other := next((record for record, _ in systems if record.cohort.digest != systems[0][0].cohort.digest), None):
        raise UsageError(f"these records are of different cohorts: {_how_they_differ(systems[0][0], other)}")
    if len({(_name(record), record.digest) for record, _ in systems}) != len(systems):
        raise UsageError("the same record is named twice")
    listed = list(combinations(systems, 2))
    return tuple(_pair(one, other, patients, alpha, draws, seed) for one, other in progress(listed, "Comparing", len(listed), unit="pair"))


def _how_they_differ(one: Record, other: Record) -> str:
    """Why nothing about two records can be compared, with what to do."""
    names = ("section", "access", "studies", "patients", "language")
    differing = [(name, str(getattr(one.cohort, name)), str(getattr(other.cohort, name))) for name in names]
    told = [f"{name} {first} and {second}" for name, first, second in differing if first != second]
    if any(line.startswith("access") for line in told):
        told.append("score both with --open, or both without")
    return "; ".join(told) if told else "the ids, or the words of their references, are not the same"


def _pair(
    one: tuple[Record, Sequence[Rows]],
    other: tuple[Record, Sequence[Rows]],
    patients: Mapping[str, str],
    alpha: float,
    draws: int,
    seed: int,
) -> Comparison:
    (first, left), (second, right) = one, other
    source = RandomSource(first.cohort.digest, seed)
    found = {result.signature: rows for result, rows in zip(second.metrics, right, strict=True)}
    both, left_out = [], [result.signature for result in second.metrics if result.signature not in {r.signature for r in first.metrics}]
    for result, rows in zip(first.metrics, left, strict=True):
        if result.signature in found:
            both.append(_metric(result.signature, rows, found[result.signature], patients, alpha, draws, source))
        else:
            left_out.append(result.signature)
    digests = (first.digest, second.digest)
    return Comparison(
        first=_name(first),
        second=_name(second),
        digests=digests,
        metrics=tuple(both),
        left_out=tuple(left_out),
        alpha=alpha,
        draws=draws,
        seed=seed,
    )


def _name(record: Record) -> str:
    return f"{record.system.name} {record.system.version}".strip()


def _metric(
    signature: str, left: Rows, right: Rows, patients: Mapping[str, str], alpha: float, draws: int, source: RandomSource
) -> MetricComparison:
    metric = make_metric(left.metric)
    one, other = patient_totals(left, patients), patient_totals(right, patients)
    tests = compare(pseudo(metric, one), pseudo(metric, other), alpha)
    [(_, _, swapped)] = swap_tests(metric, [one, other], draws, source)
    drawn = bootstrap_difference(metric, one, other, min(draws, 2000), source, alpha)
    whole = metric.score(one.sum(axis=0))
    values = parts(metric, one.sum(axis=0)), parts(metric, other.sum(axis=0))
    few = {f"f1:{finding}" for finding in _findings(metric)} - {f"f1:{finding}" for finding in claimable(whole)}
    single = [part for part in tests if part.startswith("f1:")]
    adjusted = holm({part: float(tests[part].p) for part in single if part not in few})

    lowest, highest = metric.limits
    widest = highest - lowest

    def line(part: str) -> Line:
        scores = float(values[0][part]), float(values[1][part])
        if part in few:
            return Line(part, *scores, None, None, None)
        test = tests[part]
        pair = Pair(float(test.value), max(float(test.low), -widest), min(float(test.high), widest), float(test.p), adjusted.get(part))
        return Line(part, *scores, pair, swapped[part], drawn[part])

    others = [part for part in tests if ":" not in part and part != metric.headline]
    scores = tuple(line(part) for part in [metric.headline, *others])
    return MetricComparison(signature, metric.headline, metric.higher_is_better, scores, tuple(line(part) for part in single))


def _findings(metric: Metric) -> tuple[str, ...]:
    return metric.findings if isinstance(metric, ByFinding) else ()


def verdict(comparison: Comparison, metric: MetricComparison) -> str:
    """One sentence on the headline, as a paper could print it."""
    line = metric.scores[0]
    pair = line.pair
    if pair is None:
        return ""
    name = metric.signature.split("|")[0]
    gap = f"difference {pair.difference:+z.3f}, {100 * (1 - comparison.alpha):g} % interval [{pair.low:+z.3f}, {pair.high:+z.3f}], p {p_text(pair.p)}"
    if pair.p >= comparison.alpha:
        return f"{name}: {comparison.first} and {comparison.second} cannot be distinguished ({gap})."
    better = comparison.first if (pair.difference > 0) == metric.higher_is_better else comparison.second
    return f"{name}: {better} is better ({gap})."


def p_text(p: float) -> str:
    """A p as people print it."""
    return "< 0.001" if p < 0.001 else f"= {p:z.3f}"


def dumps(comparisons: Sequence[Comparison]) -> str:
    """Comparisons as one JSON document; an end of an interval that is not known is null."""
    return json.dumps({"few": FEW, "comparisons": [_plain(asdict(item)) for item in comparisons]}, ensure_ascii=False, indent=1) + "\n"


def _plain(value: Json) -> Json:
    def walk(item: object) -> object:
        if isinstance(item, dict):
            return {name: walk(part) for name, part in item.items()}
        if isinstance(item, list | tuple):
            return [walk(part) for part in item]
        return None if isinstance(item, float) and not isfinite(item) else item

    return {name: walk(part) for name, part in value.items()}
