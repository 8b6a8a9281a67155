"""Where a score is among the floors: what systems get that look at no film, made from labels that are there already."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from harness.findings import NO_FINDING, VOCABULARIES
from harness.metrics import metric as make_metric
from harness.metrics.findings_f1 import FindingsF1
from harness.records.comparison import p_text
from harness.records.record import Record
from harness.records.snapshot import Pair
from harness.scoring.evaluation import Evaluation, Sides
from harness.scoring.floor_names import SUMMARIES, following
from harness.statistics.intervals import pseudo
from harness.statistics.paired import compare
from harness.statistics.resample import patient_totals
from harness.types import Input, Labels, Rows, Status


@dataclass(frozen=True, slots=True)
class Floor:
    """A floor of the first metric beside a system."""

    name: str
    value: float
    pair: Pair
    """The system less the floor."""


def floors(made: Evaluation) -> tuple[Floor, ...]:
    """The floors of the findings that the first metric reads; none where it reads text."""
    table = made.rows[0]
    metric = make_metric(table.metric) if table.metric in ("ran-score", "chexbert-f1") else None
    if not isinstance(metric, FindingsF1):
        return ()
    system = pseudo(metric, patient_totals(table, made.sides.patients))
    found = []
    for name, labels in _labels(made.sides, metric.vocabulary).items():
        candidates = [
            Input(item.study, "", labels={metric.vocabulary: each}) for item, each in zip(made.sides.references, labels, strict=True)
        ]
        rows = Rows(table.metric, table.columns, table.studies, metric.rows(made.sides.references, candidates))
        floor = pseudo(metric, patient_totals(rows, made.sides.patients))
        test = compare(system, floor)[metric.headline]
        pair = Pair(float(test.value), float(test.low), float(test.high), float(test.p))
        found.append(Floor(name, floor.one(metric.headline)[0], pair))
    return tuple(found)


def _labels(sides: Sides, vocabulary: str) -> Mapping[str, Sequence[Labels]]:
    """By floor the labels of every study, in the order of the references."""
    names, studies = VOCABULARIES[vocabulary], [item.study for item in sides.references]
    normal = tuple(int(name == NO_FINDING) for name in names)
    statuses = (Status.OK,) * len(names)
    known = {item.study: item.labels[vocabulary] for item in sides.references}
    other = following(studies, sides.cohort.digest)
    return {
        "constant-normal": [Labels(normal, statuses)] * len(studies),
        "all-findings": [Labels(tuple(1 - value for value in normal), statuses)] * len(studies),
        "shuffled-references": [known[other[study]] for study in studies],
    }


def place(name: str, found: Sequence[tuple[str, Pair]], alpha: float = 0.05) -> str:
    """Which floors a system is better than, in words.

    Args:
        name: The system's.
        found: What each floor is, and the system less the floor.
        alpha: What counts as significant.
    """
    told = []
    for what, pair in found:
        if pair.p >= alpha or pair.difference <= 0:
            kind = "not better" if pair.p >= alpha else "worse"
            told.append(f"{kind} than {what} (difference {pair.difference:+z.3f}, p {p_text(pair.p)})")
    return f"{name} is {', '.join(told) or 'better than each floor'}"


def is_silent(table: Rows) -> bool:
    """Whether a system asserts no finding at all; False for rows that do not count findings."""
    asserted = [at for at, column in enumerate(table.columns) if column.endswith((":tp", ":fp")) and not column.startswith(NO_FINDING)]
    return bool(asserted) and not table.values[:, asserted].any()


def among(made: Evaluation) -> str:
    """One line: the floors' scores, and which of them the system is better than; empty where the metric reads text."""
    found = floors(made)
    if not found:
        return ""
    values = ", ".join(f"{SUMMARIES[floor.name]} {floor.value:z.3f}" for floor in found)
    words = place(made.record.system.name, [(SUMMARIES[floor.name], floor.pair) for floor in found])
    words += "; it asserts nothing but No Finding" if is_silent(made.rows[0]) else ""
    return f"Floors: {values}. {words}."


def explained(record: Record) -> str:
    """One line: what the interval and the ceiling of the first score mean."""
    first, parts = record.metrics[0], []
    if first.interval:
        low, high = first.interval
        parts.append(f"With other patients of the same kind the score would be between {low:z.3f} and {high:z.3f} (95 % interval).")
    if first.attainable is not None:
        none = sum(value == 0 for part, value in first.parts.items() if part.startswith("positives:"))
        have = "finding has" if none == 1 else "findings have"
        why = f": {none} {have} no positive reference and {'counts' if none == 1 else 'count'} 0" if none else ""
        parts.append(f"The ceiling {first.attainable:z.3f} is the score of the references themselves{why}.")
    return " ".join(parts)
