"""`ranscore score` and `ranscore verify`."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ranscore.commands import options
from ranscore.commands.options import Commands

if TYPE_CHECKING:
    from harness.records.record import Record
    from harness.scoring.evaluation import Evaluation
    from harness.types import Cohort, SystemCard


SHOWN = 5
"""How many differences `verify` prints."""


def register(commands: Commands) -> None:
    """Declare the commands."""
    parser = commands.add_parser(
        "score",
        help="score a reports file: Ran Score, a table per finding, a record to submit",
        description="Score a file of generated reports against a cohort, a file of references, or reference labels.",
    )
    _inputs(parser)
    options.card(parser)
    parser.add_argument("-o", "--output", type=Path, metavar="FILE", help="write the record here, its rows beside it as FILE.rows.npz")
    parser.add_argument("--findings", type=Path, metavar="FILE", help="write the table per finding: FILE ends with .csv, .tex or .html")
    parser.add_argument("--per-study", type=Path, metavar="FILE", help="write each study's missed and invented findings as CSV")
    options.store(parser)
    options.json(parser)
    parser.set_defaults(run=run)

    check = commands.add_parser(
        "verify",
        help="compute a record again from its inputs",
        description="Compute a record again from its inputs and compare, or, without inputs, hold its scores against its rows.",
    )
    check.add_argument("record", type=Path, help="the record's file")
    _inputs(check)
    check.add_argument("--all", action="store_true", help=f"print every part that differs, not only the first {SHOWN}")
    options.json(check)
    check.set_defaults(run=verify)


def _inputs(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("file", type=Path, nargs="?", help="the reports: study_id and report, as CSV, JSONL, JSON or Parquet")
    options.cohort(parser)
    options.references(parser)
    parser.add_argument(
        "--section", choices=options.SECTIONS, help="which section of the --references is scored (default: what the file has)"
    )
    options.cohort_name(parser)
    options.columns(parser)
    options.clean(parser)
    parser.add_argument(
        "--labels",
        type=Path,
        metavar="FILE",
        help="the system's labels instead of its reports: study_id and the 21 findings, or CheXpert's 14",
    )
    parser.add_argument("--reference-labels", type=Path, metavar="FILE", help="the reference labels (default: those of the cohort)")
    options.extractor(parser)
    options.metrics(parser)


def run(arguments: argparse.Namespace) -> int:
    """Score, keep, print."""
    from dataclasses import replace

    from harness.records import record, result_table, store
    from harness.scoring import floors
    from harness.scoring.per_study import per_study
    from harness.storage import files
    from harness.types import Grade

    if arguments.per_study and arguments.metrics and "ran-score" not in arguments.metrics.split(","):
        from harness.errors import UsageError

        raise UsageError("--per-study lists findings, and no metric that was asked for reads them: add ran-score to --metrics")
    if arguments.findings:
        result_table.check_name(arguments.findings)
    made = evaluate_arguments(arguments, card_of(arguments))
    result = made.record
    private = result.cohort.access == "credentialed"
    for warning in made.sides.warnings:
        note(warning)
    if arguments.output:
        files.write(sidecar(arguments.output), record.rows_bytes(made.rows), private=private)
        files.write(arguments.output, record.dumps(result))
    if arguments.findings:
        result_table.write([made.findings()], arguments.findings, private=private)
    if arguments.per_study:
        files.write(arguments.per_study, per_study(made), private=private)
    if arguments.store is not None:
        kept = None if arguments.labels else {item.study: item.text for item in made.sides.candidates if item.status != "missing"}
        store.at(arguments.store).add(replace(result, grade=Grade.LOCAL), made.rows, kept, made.sides.patients)
    if arguments.json:
        print(record.dumps(result), end="")
    else:
        show(result)
        for line in (floors.among(made), floors.explained(result)):
            if line:
                print(line)
    return 0


def evaluate_arguments(arguments: argparse.Namespace, card: SystemCard | None, grade: str = "self-scored") -> Evaluation:
    """What the input options stand for, scored.

    Raises:
        UsageError: The options do not say what to score against what.
    """
    from harness.errors import UsageError
    from harness.records import store
    from harness.scoring import scorer
    from harness.types import Access, Grade, Section

    if arguments.cohort and arguments.references:
        raise UsageError("give --cohort or --references, not both")
    if arguments.labels:
        return _evaluate_labels(arguments, card)
    if arguments.reference_labels:
        raise UsageError(
            "--reference-labels belongs to --labels; a reports file is scored against what the extractor reads in the references"
        )
    if not arguments.file:
        raise UsageError("give a reports file, or --labels FILE; `ranscore score --help` shows both")
    if not arguments.cohort and not arguments.references:
        raise UsageError("say what to score against: --cohort NAME, or --references FILE")
    names = arguments.metrics.split(",") if arguments.metrics else None
    chosen = options.llm_options(arguments)
    section = Section(arguments.section) if arguments.section else None
    cohort = _references(arguments, section, Access.OPEN if arguments.open else Access.CREDENTIALED)
    return scorer.score(
        predictions=arguments.file,
        references=cohort,
        extractor=arguments.extractor or "lexical",
        options=chosen,
        metrics=names,
        profile=arguments.profile or "",
        card=card,
        grade=Grade(grade),
        created=store.now(),
        cleaned=arguments.clean,
        columns=options.named_columns(arguments) or None,
    )


def _evaluate_labels(arguments: argparse.Namespace, card: SystemCard | None) -> Evaluation:
    from harness import cohorts
    from harness.errors import UsageError
    from harness.formats import label_files
    from harness.records import store
    from harness.scoring import evaluation, scorer
    from harness.types import Access, SystemCard

    if arguments.file or arguments.references:
        raise UsageError("--labels takes the place of a reports file and of --references")
    access = Access.OPEN if arguments.open else Access.CREDENTIALED
    if not arguments.cohort:
        if not arguments.reference_labels:
            raise UsageError("--labels needs --reference-labels FILE, or --cohort NAME with known labels")
        sides = {"predictions": arguments.labels, "references": arguments.reference_labels}
        return scorer.score_labels(**sides, access=access, card=card, created=store.now())
    cohort = cohorts.load(arguments.cohort)
    if not arguments.reference_labels and not cohort.labels:
        raise UsageError(f"the cohort {arguments.cohort!r} has no known labels: add --reference-labels FILE")
    read = label_files.read_both(predictions=arguments.labels, references=arguments.reference_labels or cohort.labels)
    return scorer.score_decisions(
        predictions=read.predictions,
        references={study.id: read.references[study.id] for study in cohort.scored if study.id in read.references},
        cohort=evaluation.cohort_card(cohort),
        card=card or SystemCard(arguments.labels.stem),
        created=store.now(),
        vocabulary=read.vocabulary,
        warnings=read.warnings,
    )


def _references(arguments: argparse.Namespace, section: Any, access: Any) -> Cohort:
    from harness import cohorts
    from harness.cohorts import table
    from harness.errors import InputError, problems_of
    from harness.formats import reports

    if arguments.cohort:
        return cohorts.load(arguments.cohort)
    try:
        return table.from_table(
            arguments.references,
            section=section,
            access=access,
            name=arguments.cohort_name,
            columns=options.columns_of(arguments.references, arguments),
            tell=note,
        )
    except InputError as error:
        # What is wrong with the reports is said with it, as far as it shows without the references' ids.
        named = options.named_columns(arguments)
        candidate = problems_of(lambda: reports.read(arguments.file, cleaned=arguments.clean, columns=named))
        raise InputError([*error.problems, *candidate]) from None


def note(text: str) -> None:
    """Tell a person something that stops nothing."""
    print(f"ranscore: note: {text}", file=sys.stderr)


def card_of(arguments: argparse.Namespace) -> SystemCard:
    """The card that the options of `options.card` give."""
    from harness.formats.written_by import name_of
    from harness.types import Section, SystemCard

    name = name_of(getattr(arguments, "labels", None) or arguments.file or Path("unnamed"), arguments.name or "")
    sections = Section(arguments.sections) if arguments.sections else None
    return SystemCard(
        name,
        version=arguments.system_version,
        organisation=arguments.organisation,
        link=arguments.link,
        open_weights=arguments.open_weights,
        trained_on_cohort=arguments.trained_on_cohort,
        sections=sections,
    )


def sidecar(path: Path) -> Path:
    """Where a record's rows are, beside its file."""
    return path.with_name(path.name + ".rows.npz")


def show(result: Record) -> None:
    """The record for people: the scores, the findings, a sentence and a line of LaTeX to paste."""
    from harness.records import summary
    from ranscore.commands.show import table

    rows = [
        [item.name, item.headline, summary.value_with_interval(item), _attainable(item.attainable), item.signature]
        for item in result.metrics
    ]
    table(
        ["metric", "value", "score", "attainable", "signature"], rows, f"{result.system.name} on {result.cohort.name}: {result.counts}", 2
    )
    for item in result.metrics:
        if findings := summary.findings_table(item):
            print_findings(findings)
    for name, reason in result.unavailable.items():
        print(f"not computed: {name}: {reason}")
    print(summary.sentence(result))
    print(summary.latex_row(result))


def print_findings(findings: tuple[Any, ...]) -> None:
    """The table per finding; those with few positives are marked."""
    from ranscore.commands.show import table

    rows = [
        [
            row.finding + (" *" if row.few else ""),
            str(row.positives),
            *(f"{value:z.3f}" for value in (row.precision, row.recall, row.f1, row.accuracy)),
        ]
        for row in findings
    ]
    table(["finding", "positives", "precision", "recall", "F1", "accuracy"], rows)
    if any(row.few for row in findings):
        print("* fewer than 10 positives: shown, part of the average, too few to claim anything of this finding alone")


def _attainable(value: float | None) -> str:
    return "" if value is None else f"{value:z.3f}"


def verify(arguments: argparse.Namespace) -> int:
    """Compute the record again and compare.

    Returns:
        0 where it is the same, 1 where it is not.
    """
    import json

    from harness.records import record

    claimed = record.load(arguments.record, changed=True)
    found, differences = _again(arguments, claimed)
    if not differences and record.changed(arguments.record):
        differences = ["the file was changed since it was written, in what the inputs do not give: names, times or intervals"]
    if arguments.json:
        print(json.dumps({"digest": claimed.digest, "found": found, "same": not differences, "differences": differences}, indent=1))
    elif differences:
        print(f"{arguments.record}: the record is not what its inputs give")
        shown = differences if arguments.all else differences[:SHOWN]
        print("\n".join(f"  {line}" for line in shown))
        if left := len(differences) - len(shown):
            print(f"  and {left} more; --all prints them")
    else:
        print(f"{arguments.record}: verified, digest {claimed.digest[:12]}")
    return 1 if differences else 0


def _again(arguments: argparse.Namespace, claimed: Record) -> tuple[str, list[str]]:
    from harness.records import record
    from harness.records.verify import differences

    if arguments.file or arguments.labels:
        if not arguments.profile:
            arguments.metrics = arguments.metrics or ",".join(_specs(claimed))
        made = evaluate_arguments(arguments, claimed.system, claimed.grade.value)
        return made.record.digest, differences(claimed, made.record)
    from harness.errors import InputError, Problem
    from harness.storage.stored import exists

    path = sidecar(arguments.record)
    if not exists(path):
        raise InputError(
            Problem("the record's rows are not beside it", "Give the reports file and the cohort, to compute it again", str(path))
        )
    from harness.records.verify import against_rows

    return against_rows(claimed, record.load_rows(path, claimed.rows))


def _specs(claimed: Record) -> list[str]:
    """The metrics of a record, as `--metrics` names them."""
    from harness.signature import spec_of

    return [spec_of(result.signature) for result in claimed.metrics]
