"""A result as tables of text, and as the page of the documentation."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from validation.bench.estimates import Estimate
from validation.bench.gaming import STRATEGIES, Gallery
from validation.bench.kinds import MULTIPLE, EditGroup, group_of
from validation.bench.measures import MetricMeasure
from validation.bench.people import PeopleAgreement
from validation.bench.radjudge import OrderedCase
from validation.bench.results import BenchResult

BLIND = 0.55
"""At or below this AUC a metric does not see a kind of error."""


@dataclass(frozen=True, slots=True)
class BenchTable:
    """Heads, rows and a title."""

    title: str
    heads: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]


def figure(item: Estimate) -> str:
    """A figure with its interval."""
    return "-" if item.value is None else f"{item.value:.2f} [{item.low:.2f}, {item.high:.2f}]"


def overview(result: BenchResult, metrics: Sequence[MetricMeasure] = ()) -> BenchTable:
    """What each metric sees, in one line; all metrics where none are named."""
    heads = (
        "metric",
        "discrimination",
        "attributes",
        "robustness",
        "unmoved",
        "monotonicity",
        "against rewording",
        "bias",
        "p, discrimination",
    )
    rows = tuple((item.name, *_measures(item)) for item in result.metrics)
    return BenchTable(
        f"What metrics see: {result.pairs:,} pairs of {result.references:,} reports, {result.source}, {result.language}", heads, rows
    )


def _measures(item: MetricMeasure) -> tuple[str, ...]:
    bias = item.verdict["bias"]
    test = item.tests.get("discrimination")
    listed = (item.discrimination, item.attributes, item.robustness, item.unmoved, item.monotonicity, item.against_rewording)
    return (*map(figure, listed), "-" if bias is None else f"{bias:+.2f}", "-" if test is None else f"{test[1]:.2g}")


def first_recipes(result: BenchResult) -> tuple[MetricMeasure, ...]:
    """The first recipe of each metric."""
    found: dict[str, MetricMeasure] = {}
    for item in result.metrics:
        found.setdefault(item.name.partition(":")[0], item)
    return tuple(found.values())


def tables(result: BenchResult, metrics: Sequence[MetricMeasure] = ()) -> tuple[BenchTable, ...]:
    """The overview, the kinds by metric, and the size of the edits.

    Args:
        result: What is printed.
        metrics: The columns of the kinds; all where none are named.
    """
    columns = metrics or result.metrics
    names = tuple(item.name for item in columns)
    rows = tuple((kind, *(_cell(item, kind) for item in columns)) for kind in ordered(result))
    sizes = tuple((item.kind, f"{item.pairs}", f"{item.words:.1f}", f"{item.longer:+.1f}") for item in result.shapes)
    return (
        overview(result, metrics),
        BenchTable(
            "Errors: AUC against harmless edits of equal length. Harmless edits: share that leaves the score as it was",
            ("kind", *names),
            rows,
        ),
        BenchTable("Size of the edits", ("kind", "pairs", "words changed", "words more"), sizes),
    )


def _cell(item: MetricMeasure, kind: str) -> str:
    measure = item.kinds[kind]
    value = (measure.keeps if group_of(kind) in (EditGroup.HARMLESS, EditGroup.DEBATED) else measure.auc).value
    return "-" if value is None else f"{value:.2f}"


def ordered(result: BenchResult) -> tuple[str, ...]:
    """The kinds of a result: the errors that its first metric does not see first, then other errors, then the rest."""
    return (*blind(result), *(kind for kind in _kinds(result) if kind not in blind(result)))


def blind(result: BenchResult) -> tuple[str, ...]:
    """The kinds of errors that the first metric of a result does not see, worst first."""
    first = result.metrics[0].kinds
    found = [(auc, kind) for kind in _kinds(result) if _is_error(kind) and (auc := first[kind].auc.value) is not None and auc <= BLIND]
    return tuple(kind for _, kind in sorted(found))


def _kinds(result: BenchResult) -> Sequence[str]:
    order = (EditGroup.ATTRIBUTE, EditGroup.SIGNIFICANT, EditGroup.HARMLESS, EditGroup.DEBATED)
    return sorted((item.kind for item in result.shapes), key=lambda kind: order.index(group_of(kind)))


def _is_error(kind: str) -> bool:
    return group_of(kind) in (EditGroup.SIGNIFICANT, EditGroup.ATTRIBUTE) and kind not in MULTIPLE


def of_gallery(found: Gallery) -> BenchTable:
    """What each metric pays for each strategy."""
    names = tuple(next(iter(found.scores.values())))
    rows = tuple((name, STRATEGIES[name], *(f"{scores[metric]:z.3f}" for metric in names)) for name, scores in found.scores.items())
    return BenchTable(
        f"What optimising a metric pays: {found.reports} reports, {found.language}", ("strategy", "what is written", *names), rows
    )


def of_cases(cases: Sequence[OrderedCase], found: Mapping[str, Mapping[str, bool]]) -> BenchTable:
    """Pass or fail by case, and how many each metric passes."""
    rows = [(case.id, case.category, *("pass" if passed[case.id] else "-" for passed in found.values())) for case in cases]
    rows.append(("all", f"{len(cases)} cases", *(str(sum(passed.values())) for passed in found.values())))
    return BenchTable("Ordered cases", ("case", "category", *found), tuple(rows))


def of_people(metrics: Sequence[PeopleAgreement], readers: Sequence[PeopleAgreement]) -> BenchTable:
    """Metrics against people, and each reader against the others as a ceiling."""
    heads = ("who", "tau-b within references", "accuracy with ties", "tau-b, pooled", "soft accuracy of systems", "fitted on these data")
    rows = tuple(
        (
            name,
            figure(item.within),
            *("-" if value is None else f"{value:z.3f}" for value in (item.accuracy, item.pooled, item.systems)),
            "yes" if item.fitted else "",
        )
        for name, item in (*((item.name, item) for item in metrics), *((f"reader {item.name}", item) for item in readers))
    )
    return BenchTable("PeopleAgreement with the mean of the readers; of a reader, with the mean of the others", heads, rows)
