"""Label files: `study_id`, an optional `status`, and one column a finding.

A cell is `1` present, `0` absent, `-1` uncertain, empty (left open), or the word of a decision that did not come about: `unparseable`,
`refused` or `failed`. Anything else is a failed decision, never an absence. `status` says what the report is as a whole: `ok` (also
where it is empty), `missing`, `empty` or `unsupported`.
"""

from __future__ import annotations

import csv
import io
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from difflib import get_close_matches
from pathlib import Path
from typing import Any

from harness.errors import InputError, Problem, UsageError, both
from harness.findings import CHEXPERT_14, NO_FINDING, VOCABULARIES, by_spelling
from harness.formats import tabular
from harness.formats.complaints import Complaints
from harness.quiet import Quiet
from harness.storage import files
from harness.types import Labels, ReportStatus, Status

Decision = tuple[int | None, Status]

_NOT_OK = {status.value: (None, status) for status in Status if status is not Status.OK}
_NUMBERS = {1.0: 1, 0.0: 0, -1.0: -1}
_FAILED: Decision = (None, Status.FAILED)
_OPEN: Decision = (None, Status.OK)
_SET_APART = {"ran-21": frozenset({NO_FINDING}), "chexpert-14": frozenset({NO_FINDING, "Support Devices"})}
"""What No Finding does not look at: in CheXpert's vocabulary a device does not count against it."""


@dataclass(frozen=True, slots=True, repr=False)
class Both(Quiet):
    """The labels of a system and of its references, by study id."""

    predictions: Mapping[str, Labels] = field(repr=False)
    references: Mapping[str, Labels] = field(repr=False)
    vocabulary: str = "ran-21"
    warnings: tuple[str, ...] = ()


def read(path: Path, vocabulary: str = "ran-21") -> dict[str, Labels]:
    """Read a label file (CSV, JSON Lines, JSON or Parquet) by study id.

    A missing column *No Finding* is filled in by its rule. Disagreement of a given one with the rule is no error: see `warnings`.

    Args:
        path: The file.
        vocabulary: `ran-21` or `chexpert-14`.

    Raises:
        InputError: The file cannot be read, columns are missing or unknown, an id is absent or occurs twice; all at once.
        UsageError: There is no such vocabulary.
    """
    complaints = Complaints(str(path))
    table = tabular.read(path, complaints)
    spelled = spellings(vocabulary)
    if table.columns:
        _check_columns(table.columns, spelled, complaints)
    labels: dict[str, Labels] = {}
    for line, cells in table.rows:
        name = tabular.study_id(cells.get("study_id"))
        if not name:
            complaints.add("no id", "the row has no study id", "Write one", line)
        elif name in labels:
            complaints.add("id twice", "the study has a row already", "Keep one row a study", line, name)
        else:
            labels[name] = from_rows(cells, vocabulary, _report_status(cells.get("status"), complaints, line, name))
    if not table.count and not complaints.problems:
        complaints.add("no rows", "it holds a header and no row", "Write one row a study")
    complaints.check()
    return labels


def read_both(*, predictions: Path, references: Path | Mapping[str, Labels]) -> Both:
    """Read the label files of both sides, each as the findings that its columns name: the paper's 21 or CheXpert's 14.

    Args:
        predictions: The system's file.
        references: The references' file, or labels of the 21 findings that are at hand.

    Raises:
        InputError: Either cannot be read, or they are of different findings; what is wrong with both comes at once.
    """
    names = [vocabulary_of(predictions), vocabulary_of(references) if isinstance(references, Path) else "ran-21"]
    said, known = both(
        lambda: read(predictions, names[0]),
        lambda: read(references, names[1]) if isinstance(references, Path) else references,
    )
    if names[0] != names[1]:
        what = f"the system's labels are of {names[0]}, the reference labels of {names[1]}, whose No Finding has another rule"
        raise InputError(Problem(what, "Give both files the same columns", str(predictions)))
    notes = warnings(known, names[0], str(references)) if isinstance(references, Path) else ()
    return Both(said, known, names[0], (*warnings(said, names[0], str(predictions)), *notes))


def vocabulary_of(path: Path) -> str:
    """`chexpert-14` where a file has most of CheXpert's columns and none of the paper's other seven, else `ran-21`."""
    spelled = spellings("ran-21")
    held = {spelled.get(column, "") for column in tabular.read(path, Complaints(str(path))).columns} - {""}
    only_chexpert = held <= set(CHEXPERT_14) and 2 * len(held) > len(CHEXPERT_14)
    return "chexpert-14" if only_chexpert else "ran-21"


def write(path: Path, labels: Mapping[str, Labels], vocabulary: str = "ran-21", *, private: bool = False) -> None:
    """Write a label file as CSV, sorted by study id, atomically.

    Reading it gives the same labels, except for evidence and flags, which no label file holds, and for the value of a decision that
    is not ok.
    """
    files.write(path, dumps(labels, vocabulary), private=private)


def dumps(labels: Mapping[str, Labels], vocabulary: str = "ran-21") -> str:
    """A label file's content as `write` writes it."""
    stream = io.StringIO()
    writer = csv.writer(stream, lineterminator="\n")
    writer.writerow(["study_id", "status", *_findings(vocabulary)])
    for name, item in sorted(labels.items()):
        writer.writerow([name, item.report.value, *cells(item)])
    return stream.getvalue()


def from_rows(cells: Mapping[str, Any], vocabulary: str = "ran-21", report: ReportStatus = ReportStatus.OK) -> Labels:
    """The decisions of one row.

    Args:
        cells: By column, in either spelling and any case; other columns are passed over. A finding without a column is left open,
            except *No Finding*, which follows its rule.
        vocabulary: `ran-21` or `chexpert-14`.
        report: What the report is as a whole.
    """
    spelled = spellings(vocabulary)
    found = {spelled[key]: decision(value) for name, value in cells.items() if (key := name.strip().lower()) in spelled}
    names = _findings(vocabulary)
    if NO_FINDING not in found:
        found[NO_FINDING] = (no_finding([found.get(name, _OPEN) for name in names], vocabulary), Status.OK)
    values, statuses = zip(*(found.get(name, _OPEN) for name in names), strict=True)
    return Labels(values, statuses, report)


def has_columns(columns: Sequence[str], vocabulary: str = "ran-21") -> bool:
    """Whether a table's columns hold every finding of a vocabulary, *No Finding* aside."""
    spelled = spellings(vocabulary)
    held = {spelled[key] for name in columns if (key := name.strip().lower()) in spelled}
    return held >= set(_findings(vocabulary)) - {NO_FINDING}


def decision(cell: Any) -> Decision:
    """One cell's decision: value and status.

    Text and numbers are read alike, true and false are 1 and 0; null and a number that is not one (pandas' blank) are left open.
    """
    if cell is None or (isinstance(cell, float) and math.isnan(cell)):
        return _OPEN
    if isinstance(cell, str):
        word = cell.strip().lower()
        if not word:
            return _OPEN
        if word in _NOT_OK:
            return _NOT_OK[word]
        try:
            cell = float(word)
        except ValueError:
            return _FAILED
    if isinstance(cell, int | float) and cell in _NUMBERS:
        return _NUMBERS[cell], Status.OK
    return _FAILED


def no_finding(decisions: Sequence[Decision], vocabulary: str = "ran-21") -> int | None:
    """*No Finding* by its rule: 0 if another finding is present, else undecided (None) if another is undecided, else 1.

    Args:
        decisions: In the order of the vocabulary; that of *No Finding* itself is not looked at.
        vocabulary: In `chexpert-14` support devices do not count against it.
    """
    apart = _SET_APART[vocabulary]
    others = [item for name, item in zip(_findings(vocabulary), decisions, strict=True) if name not in apart]
    if (1, Status.OK) in others:
        return 0
    return 1 if all(item == (0, Status.OK) for item in others) else None


def warnings(labels: Mapping[str, Labels], vocabulary: str = "ran-21", file: str = "labels") -> tuple[str, ...]:
    """Where a given *No Finding* disagrees with the rule; the column is taken as given all the same.

    Args:
        labels: By study id.
        vocabulary: Whose rule.
        file: The file's name for the messages.
    """
    complaints = Complaints(file)
    place = _findings(vocabulary).index(NO_FINDING)
    for name, item in sorted(labels.items()):
        given = item.values[place]
        rule = no_finding(list(zip(item.values, item.statuses, strict=True)), vocabulary)
        if given in (0, 1) and rule is not None and given != rule:
            what = f"No Finding is {given}, its rule gives {rule}"
            complaints.warn("No Finding disagrees with its rule", what, "It was taken as given", study=name)
    return tuple(map(str, complaints.warnings))


def spellings(vocabulary: str) -> dict[str, str]:
    """Every accepted spelling of a finding's column, in lower case, to its name."""
    return by_spelling() if vocabulary == "ran-21" else {name.lower(): name for name in _findings(vocabulary)}


def _findings(vocabulary: str) -> tuple[str, ...]:
    if vocabulary not in VOCABULARIES:
        raise UsageError(f"there is no vocabulary {vocabulary!r}; there are {', '.join(VOCABULARIES)}")
    return VOCABULARIES[vocabulary]


def _check_columns(columns: Sequence[str], spelled: Mapping[str, str], complaints: Complaints) -> None:
    held: dict[str, int] = {}
    for position, column in enumerate(columns, 1):
        if column in ("study_id", "status"):
            continue
        name = spelled.get(column)
        if name is None:
            near = get_close_matches(column[:100], ["study_id", *spelled], n=1)
            remedy = f"Rename it to {spelled.get(near[0], near[0])!r}" if near else "Remove it"
            complaints.add("unknown column", f"column {position} is neither study_id, status nor a finding", remedy, 1)
        elif name in held:
            complaints.add("column twice", f"columns {held[name]} and {position} are both {name}", "Keep one", 1)
        else:
            held[name] = position
    if "study_id" not in columns:
        complaints.add("no column", "there is no column study_id", "Name the column of the study ids so", 1)
    for name in dict.fromkeys(spelled.values()):
        if name not in held and name != NO_FINDING:
            complaints.add("no column", f"there is no column {name!r}", "Add it; leave a cell empty where nobody decided", 1)


def _report_status(cell: Any, complaints: Complaints, line: int, name: str) -> ReportStatus:
    word = cell.strip().lower() if isinstance(cell, str) else cell
    if word in (None, ""):
        return ReportStatus.OK
    if word in tuple(ReportStatus):
        return ReportStatus(word)
    complaints.add("status", "its status is none of ok, missing, empty, unsupported", "Write one of them, or leave it empty", line, name)
    return ReportStatus.OK


def cells(item: Labels) -> list[str]:
    """The decisions of one report as a label file spells them."""
    return list(map(_cell, item.values, item.statuses))


def _cell(value: int | None, status: Status) -> str:
    if status is not Status.OK:
        return status.value
    return "" if value is None else str(value)
