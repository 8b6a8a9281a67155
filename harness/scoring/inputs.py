"""What a caller may give for reports and for references: a path, a cohort, a dict, lists, or a table of pandas."""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from harness import cohorts
from harness.cohorts.table import from_table
from harness.errors import InputError, Problem, UsageError
from harness.formats import reports
from harness.formats.tabular import from_memory
from harness.formats.written_by import name_of
from harness.types import Access, Cohort, ReportSet, Section


def _log(note: str) -> None:
    logging.getLogger("ranscore").warning(note)


def cohort_of(
    references: Any,
    *,
    access: Access | str = Access.CREDENTIALED,
    section: Section | str | None = None,
    columns: Mapping[str, str] | None = None,
    name: str = "",
    tell: Callable[[str], None] = _log,
) -> Cohort:
    """The cohort that a caller scores against.

    Args:
        references: A cohort, the name or folder of a built one, a file, or references in memory (`harness.formats.tabular.of`).
        access: Whether the text of a file or of what is in memory is `open`; a cohort says it itself.
        section: Which section of these is scored; None for what is there.
        columns: By a key of `harness.cohorts.table.COLUMNS` what a file calls it.
        name: What records and boards call the cohort of these; empty for the file's name.
        tell: Receives what is odd about the references and stops nothing.

    Raises:
        InputError: A file is wrong; every problem is named.
        UsageError: There is no such cohort and no such file.
    """
    if isinstance(references, Cohort):
        return references
    if isinstance(references, Path | str) and not Path(references).is_file():
        if Path(references).suffix and not Path(references).exists():
            raise UsageError(f"there is no file {str(references)!r}, and no cohort of this name")
        return cohorts.load(references)
    scored = Section(section) if section else None
    return from_table(references, section=scored, access=Access(access), columns=columns, name=name, tell=tell)


def reports_of(predictions: Any, cohort: Cohort, *, cleaned: bool = False, columns: Mapping[str, str] | None = None) -> ReportSet:
    """A system's reports, checked against the ids of a cohort.

    Args:
        predictions: A file, reports in memory (`harness.formats.tabular.of`), or a report set, which is not checked again.
        cohort: What is scored against.
        cleaned: Take stray markup and control characters out instead of refusing the reports.
        columns: By `study_id` and `report` what a file calls them.

    Raises:
        InputError: The reports are wrong; every problem is named.
    """
    if isinstance(predictions, ReportSet):
        return predictions
    return reports.read(predictions, [study.id for study in cohort.scored], cohort.manifest.section, cleaned=cleaned, columns=columns)


def check_pairs(*, predictions: Any, references: Any) -> None:
    """Lists of texts have no ids: both sides are lists, of one length.

    Raises:
        UsageError: Only one of them is.
        InputError: They differ in length.
    """
    pairs = from_memory.is_pairs(predictions)
    if pairs and not from_memory.is_pairs(references):
        raise UsageError("a list of reports has no study ids: give a dict {study_id: report}, or lists for both")
    if pairs and len(predictions) != len(references):
        what = f"there are {len(references)} references and {len(predictions)} predictions"
        raise InputError(Problem(what, "Give one prediction for each reference"))


def system_name(predictions: Any) -> str:
    """What a system is called where nobody named it: by its run or its file."""
    return name_of(Path(predictions)) if isinstance(predictions, Path | str) else "unnamed"
