"""From a cohort and a system's reports, or from label files, to a record and its rows."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from importlib import metadata

import numpy as np

from harness.errors import InputError, Problem
from harness.findings import UNSURE
from harness.metrics.findings_f1 import reference_decisions
from harness.optional import asked, official
from harness.quiet import Quiet
from harness.records import summary
from harness.records.plotted import Point
from harness.records.record import CohortCard, Counts, ExtractorCard, MetricResult, Record, record_digest, rows_digest
from harness.records.result_table import Presented, ResultTable
from harness.signature import Signature
from harness.signature import digest as digest_of
from harness.statistics.intervals import PUBLISHED, intervals
from harness.statistics.resample import patient_totals
from harness.storage.progress import progress
from harness.types import (
    Access,
    Cohort,
    Extractor,
    Grade,
    Input,
    Labels,
    Metric,
    ReportSet,
    ReportStatus,
    Rows,
    Section,
    Status,
    SystemCard,
)

INVALID_ABOVE = 0.005
"""Share of reference decisions that may fail before a cohort cannot be scored (decision 3 in docs/architecture.md)."""
SHOWN_STUDIES = 20


@dataclass(frozen=True, slots=True, repr=False)
class Sides(Quiet):
    """Both sides of a cohort, study by study in the same order (sorted by id), ready for any metric."""

    cohort: CohortCard = field(repr=False)
    references: tuple[Input, ...] = field(repr=False)
    candidates: tuple[Input, ...] = field(repr=False)
    extractors: Mapping[str, ExtractorCard] = field(repr=False)
    """By vocabulary who labelled it."""
    patients: Mapping[str, str] = field(default_factory=dict, repr=False)
    """By study; a study that is not named is its own patient."""
    warnings: tuple[str, ...] = ()
    """What is odd about the inputs and stops nothing."""
    cleaned: int = 0
    """How many candidate reports were cleaned before they were labelled."""


@dataclass(frozen=True, slots=True, repr=False)
class Evaluation(Presented):
    """A record with what it was made from. A notebook shows its scores, never a report."""

    record: Record
    rows: tuple[Rows, ...] = field(repr=False)
    sides: Sides = field(repr=False)

    def __repr__(self) -> str:
        return f"Evaluation({self.record})"

    def table(self) -> ResultTable:
        """Every metric's score with its interval, and the highest value that can be reached."""
        return summary.scores(self.record)

    def findings(self) -> ResultTable:
        """Precision, recall and F1 of each finding; empty where no metric reads findings."""
        return summary.findings(self.record)

    def points(self) -> tuple[Point, ...]:
        """F1 of each finding, or every score where no metric reads findings."""
        return summary.points(self.record)


def cohort_card(cohort: Cohort) -> CohortCard:
    """What a record says of its cohort."""
    manifest, scored = cohort.manifest, cohort.scored
    patients = len({study.patient for study in scored})
    return CohortCard(
        name=manifest.name,
        digest=manifest.digest,
        section=manifest.section,
        access=manifest.access,
        language=manifest.language,
        studies=len(scored),
        patients=patients,
    )


def from_reports(
    cohort: Cohort, reports: ReportSet, extractors: Sequence[Extractor], labelled: dict[str, tuple[Labels, ...]] | None = None
) -> Sides:
    """Label both sides of a cohort. Every scored study is there, whether or not the file has a row for it.

    Args:
        cohort: The references.
        reports: The candidates.
        extractors: One for each vocabulary.
        labelled: By vocabulary the labels of the references; those that are not there are read, and kept there for the next system.
    """
    known = {} if labelled is None else labelled
    ids = [study.id for study in cohort.scored]
    original = [cohort.reference(name) for name in ids]
    written = [reports.reports.get(name) for name in ids]
    references: list[dict[str, Labels]] = [{} for _ in ids]
    candidates: list[dict[str, Labels]] = [{} for _ in ids]
    for extractor in extractors:
        name = extractor.vocabulary
        if name not in known:
            known[name] = tuple(extractor.extract(original))
        for side, found in ((references, known[name]), (candidates, extractor.extract([text or "" for text in written]))):
            for labels, item in zip(side, found, strict=True):
                labels[name] = item
    return Sides(
        cohort_card(cohort),
        tuple(Input(*row) for row in zip(ids, original, [ReportStatus.OK] * len(ids), references, strict=True)),
        tuple(_candidate(name, text, labels) for name, text, labels in zip(ids, written, candidates, strict=True)),
        {extractor.vocabulary: _extractor_card(extractor) for extractor in extractors},
        {study.id: study.patient for study in cohort.scored},
        reports.warnings,
        reports.cleaned,
    )


def _candidate(study: str, text: str | None, labels: Mapping[str, Labels]) -> Input:
    """A candidate with its status as a whole: missing where the file has no row, else what the extractor saw."""
    status = ReportStatus.MISSING if text is None else ReportStatus.OK if text.strip() else ReportStatus.EMPTY
    if status is ReportStatus.OK:
        status = next((item.report for item in labels.values() if item.report is not ReportStatus.OK), status)
    marked = {name: replace(item, report=status) for name, item in labels.items()}
    return Input(study, text or "", status, marked)


def _extractor_card(extractor: Extractor) -> ExtractorCard:
    by, unnamed = asked(extractor)
    return ExtractorCard(extractor.name, extractor.digest, official(extractor), by, unnamed)


def from_labels(
    *,
    predictions: Mapping[str, Labels],
    references: Mapping[str, Labels],
    cohort: CohortCard | None = None,
    vocabulary: str = "ran-21",
    name: str = "labels",
    patients: Mapping[str, str] | None = None,
    warnings: tuple[str, ...] = (),
) -> Sides:
    """Both sides from label files; no text metric can be computed from them.

    Args:
        predictions: By study id; a study without a row is missing.
        references: By study id; the ids are the cohort.
        cohort: What the record says of the cohort; by default a card made from the references labels themselves.
        vocabulary: The vocabulary of both sides.
        name: The cohort's name where no card is given.
        patients: By study the patient; by default every study is its own.
        warnings: What is odd about the files and stops nothing.

    Raises:
        InputError: The predictions hold a study that the references do not.
    """
    unknown = sorted(set(predictions) - set(references))
    if unknown:
        raise InputError(
            [
                Problem("the reference labels have no such study", "Remove the row or fix its id", study=item)
                for item in unknown[:SHOWN_STUDIES]
            ]
        )
    ids = sorted(references)
    card = cohort or _labels_card(references, name)
    missing = Labels((), (), ReportStatus.MISSING)
    return Sides(
        card,
        tuple(Input(study, "", labels={vocabulary: references[study]}) for study in ids),
        tuple(
            Input(study, "", labels.report, {vocabulary: labels})
            for study, labels in ((item, predictions.get(item, missing)) for item in ids)
        ),
        {vocabulary: ExtractorCard("label-file", digest_of("label-file"))},
        patients or {},
        warnings,
    )


def _labels_card(reference: Mapping[str, Labels], name: str) -> CohortCard:
    content = {study: [list(labels.values), [status.value for status in labels.statuses]] for study, labels in reference.items()}
    return CohortCard(
        name=name,
        digest=digest_of({"reference labels": content}),
        section=Section.BOTH,
        access=Access.CREDENTIALED,
        language="en",
        studies=len(reference),
        patients=len(reference),
    )


def evaluate(
    sides: Sides,
    metrics: Sequence[Metric],
    *,
    card: SystemCard,
    grade: Grade = Grade.SELF_SCORED,
    created: str = "",
    unavailable: Mapping[str, str] | None = None,
) -> Evaluation:
    """Score both sides with every metric.

    Args:
        metrics: In the order in which they are shown; the first is the one that ranks.
        created: UTC time for the record; empty in pure use.

    Raises:
        InputError: Too many reference decisions failed: the cohort is invalid for every system.
    """
    check_references(sides)
    results, tables = [], []
    for draft in progress(metrics, "Scoring", unit="metric"):
        metric = draft.fit(sides.references)
        values = np.asarray(metric.rows(sides.references, sides.candidates), dtype=np.float64)
        if values.shape != (len(sides.references), len(metric.columns)):
            raise AssertionError(f"{metric.name} gave rows of shape {values.shape}")
        spec = f"{metric.name}:{metric.recipe}" if metric.recipe else metric.name
        studies = tuple(item.study for item in sides.references)
        table = Rows(spec, metric.columns, studies, values)
        tables.append(table)
        results.append(result_of(metric, table, sides))
    counts = count(sides)
    record = Record(
        system=card,
        cohort=sides.cohort,
        grade=grade,
        extractors=tuple(sides.extractors.values()),
        metrics=tuple(results),
        counts=counts,
        rows=rows_digest(tables),
        digest=record_digest(sides.cohort.digest, [result.signature for result in results], counts, tables),
        unavailable=dict(unavailable or {}),
        created=created,
        program=metadata.version("ranscore"),
        interval=f"{PUBLISHED}, 95 %",
    )
    return Evaluation(record, tuple(tables), sides)


def result_of(metric: Metric, table: Rows, sides: Sides) -> MetricResult:
    """The scores of one metric's rows, with their intervals.

    Args:
        metric: Fitted on the references.
        table: Its rows.
        sides: Whose references and patients these are.
    """
    read = [card.digest for vocabulary, card in sides.extractors.items() if vocabulary in metric.reads]
    signature = Signature(metric.name, metric.version, metric.recipe, "".join(read), metric.fit_digest)
    parts = {name: float(value) for name, value in metric.score(table.values.sum(axis=0)).items()}
    attainable = None
    if read:
        mirrored = metric.score(np.asarray(metric.rows(sides.references, sides.references)).sum(axis=0))
        attainable = float(mirrored[metric.headline])
    ends = intervals(metric, patient_totals(table, sides.patients))
    finite = {part: end for part, end in ends.items() if np.isfinite(end).all()}
    return MetricResult(
        name=metric.name,
        signature=str(signature),
        headline=metric.headline,
        parts=parts,
        higher_is_better=metric.higher_is_better,
        attainable=attainable,
        intervals=finite,
    )


def check_references(sides: Sides) -> None:
    """A cohort whose reference labels failed too often is invalid, with the list of studies, before anybody is scored."""
    for vocabulary in sides.extractors:
        lost = {item.study: _lost(item.labels[vocabulary]) for item in sides.references}
        asked, bad = sum(len(item.labels[vocabulary].statuses) for item in sides.references), sum(lost.values())
        if asked and bad / asked > INVALID_ABOVE:
            studies = sorted(study for study, decisions in lost.items() if decisions)
            head = Problem(
                f"{bad} of {asked} reference decisions have no answer, more than {INVALID_ABOVE:.1%}: the cohort cannot be scored",
                "Label the references again, or fix these reports",
            )
            named = [Problem("its reference has decisions without an answer", study=study) for study in studies[:SHOWN_STUDIES]]
            rest = len(studies) - SHOWN_STUDIES
            raise InputError([head, *named, *([Problem(f"and {rest} more studies")] if rest > 0 else [])])


def _lost(labels: Labels) -> int:
    """Decisions without an answer; of a report that could not be read, all."""
    return sum(labels.report is not ReportStatus.OK or status is not Status.OK for status in labels.statuses)


def count(sides: Sides) -> Counts:
    """What happened to the candidate's reports and decisions, over every vocabulary that was extracted."""
    whole = {status: sum(item.status is status for item in sides.candidates) for status in ReportStatus}
    tally = dict.fromkeys(("decisions", "unparseable", "refused", "failed", "uncertain", "left_out"), 0)
    for vocabulary in sides.extractors:
        for item in sides.references:
            tally["left_out"] += reference_decisions(item.labels[vocabulary]).count(-1) if vocabulary == "ran-21" else 0
        for item in sides.candidates:
            if item.status is ReportStatus.OK:
                _tally(item.labels[vocabulary], tally, yes_or_no=vocabulary == "ran-21")
    flags = [{flag for labels in item.labels.values() for flag in labels.flags} for item in sides.candidates]
    return Counts(
        studies=len(sides.candidates),
        missing=whole[ReportStatus.MISSING],
        empty=whole[ReportStatus.EMPTY],
        unsupported=whole[ReportStatus.UNSUPPORTED],
        flagged=sum(bool(found - {UNSURE}) for found in flags),
        unsure=sum(UNSURE in found for found in flags),
        cleaned=sides.cleaned,
        **tally,
    )


def _tally(labels: Labels, tally: dict[str, int], *, yes_or_no: bool) -> None:
    """Count one readable report's decisions. Where the vocabulary is yes or no, a blank cell is an answer that cannot be read."""
    tally["decisions"] += len(labels.values)
    for value, status in zip(labels.values, labels.statuses, strict=True):
        if status is not Status.OK:
            tally[status.value] += 1
        elif yes_or_no and value is None:
            tally["unparseable"] += 1
        elif yes_or_no and value == -1:
            tally["uncertain"] += 1
