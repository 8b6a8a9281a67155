"""A record in words, as a table per finding, and as a line of LaTeX: pure text, the same on the terminal and on the page."""

from __future__ import annotations

from dataclasses import dataclass

from harness.records.latex import latex_escape
from harness.records.plotted import Point
from harness.records.record import MetricResult, Record
from harness.records.result_table import ResultTable

FEW_POSITIVES = 10
"""Below this many positive references a finding is shown and nothing is claimed of it singly."""


@dataclass(frozen=True, slots=True)
class FindingRow:
    """One finding's line of the table."""

    finding: str
    positives: int
    precision: float
    recall: float
    f1: float
    accuracy: float

    @property
    def few(self) -> bool:
        """Whether there are too few positives to claim anything of this finding alone."""
        return self.positives < FEW_POSITIVES


def findings_table(result: MetricResult) -> tuple[FindingRow, ...]:
    """The findings of a findings-F1 result, in the vocabulary's order."""
    names = [part.partition(":")[2] for part in result.parts if part.startswith("positives:")]
    parts = result.parts
    return tuple(
        FindingRow(
            name,
            round(parts[f"positives:{name}"]),
            *(parts[f"{ratio}:{name}"] for ratio in ("precision", "recall", "f1", "accuracy")),
        )
        for name in names
    )


def value_with_interval(result: MetricResult, digits: int = 3) -> str:
    """`0.312 [0.287, 0.339]`, or the value alone where there is no interval."""
    text = f"{result.value:z.{digits}f}"
    if result.interval:
        text += f" [{result.interval[0]:z.{digits}f}, {result.interval[1]:z.{digits}f}]"
    return text


def sentence(record: Record) -> str:
    """What a paper can say of the record, with everything a reader needs to compare it."""
    cohort = record.cohort
    first = record.metrics[0]
    name = "Ran Score" if first.name == "ran-score" else first.name
    who = ", ".join(
        f"{card.title} {card.digest[:12]}" + ("" if card.official else " (not the paper's extractor)") for card in record.extractors
    )
    labels = f" Labels: {who}." if who else ""
    interval = " (95 % interval)" if first.interval else ""
    ceiling = f"; the attainable maximum is {first.attainable:z.3f}" if first.attainable is not None else ""
    return (
        f"{record.system.name} reaches {name} {value_with_interval(first)}{interval} on {cohort.name} "
        f"({cohort.studies} studies of {cohort.patients} patients, section {cohort.section.value}, cohort {cohort.digest[:12]}){ceiling}. "
        f"Scored: {record.counts}.{labels} Signature: {first.signature}; record {record.digest[:12]}."
    )


def latex_row(record: Record) -> str:
    """One row: name, then each metric's headline; the names of the columns are in the comment."""
    cells = [latex_escape(record.system.name)]
    for result in record.metrics:
        cell = f"{result.value:z.3f}"
        if result.interval:
            cell += f" [{result.interval[0]:z.3f}, {result.interval[1]:z.3f}]"
        cells.append(cell)
    columns = ", ".join(["system", *(f"{result.name} {result.headline}" for result in record.metrics)])
    return f"{' & '.join(cells)} \\\\ % {columns}; record {record.digest[:12]}"


def _about(record: Record) -> str:
    """What a table's caption says of a record."""
    cohort = record.cohort
    who = ", ".join(card.title for card in record.extractors)
    return f"{record.system.name} on {cohort.name}: {record.counts}" + (f"; labels by {who}" if who else "")


def scores(record: Record) -> ResultTable:
    """Every metric's headline with its 95 % interval, and the value of the references against themselves."""
    rows = []
    for result in record.metrics:
        low, high = result.interval or (None, None)
        rows.append((result.name, result.headline, result.value, low, high, result.attainable, result.signature))
    header = ("metric", "part", "score", "low", "high", "ceiling", "signature")
    return ResultTable(name="scores", caption=_about(record), header=header, rows=tuple(rows))


def _by_finding(record: Record) -> MetricResult | None:
    return next((result for result in record.metrics if any(part.startswith("positives:") for part in result.parts)), None)


def findings(record: Record) -> ResultTable:
    """One row a finding, with the 95 % interval of its F1; no row where no metric reads findings."""
    header = ("finding", "positives", "precision", "recall", "F1", "low", "high")
    result, rows = _by_finding(record), []
    for row in findings_table(result) if result else ():
        low, high = result.intervals.get(f"f1:{row.finding}", (None, None)) if result else (None, None)
        rows.append((row.finding, row.positives, row.precision, row.recall, row.f1, low, high))
    return ResultTable(name="findings", caption=_about(record), header=header, rows=tuple(rows))


def points(record: Record) -> tuple[Point, ...]:
    """F1 of each finding with its interval; where no metric reads findings, every score."""
    result = _by_finding(record)
    if result is None:
        values = [(item.name, item.value, item.interval, False) for item in record.metrics]
    else:
        parts = [(row, f"f1:{row.finding}") for row in findings_table(result)]
        values = [(row.finding, row.f1, result.intervals.get(part), row.few) for row, part in parts]
    return tuple(_point(*value) for value in values)


def _point(name: str, value: float, ends: tuple[float, float] | None, quiet: bool) -> Point:
    low, high = ends or (value, value)
    return Point(name=name, value=value, low=low, high=high, quiet=quiet)
