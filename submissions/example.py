"""The example file of an open cohort: what a first-time visitor submits to see how it goes."""

from __future__ import annotations

import csv
import io
import re

from harness.errors import RefusedError
from harness.types import Access, Cohort
from submissions.board_folder import BoardFolder


def of(board_folder: BoardFolder, name: str) -> str:
    """The example of a board's cohort; the text of one that is not open is not even read.

    Raises:
        RefusedError: The cohort's text may not leave this machine.
        UsageError: There is no such cohort.
    """
    manifest = board_folder.manifest(name)
    _must_be_open(manifest.access)
    return example(board_folder.cohort(manifest.digest))


def example(cohort: Cohort) -> str:
    """A reports file as CSV: every study gets the next study's reference without its first sentence, so it is well-formed and scores low.

    Raises:
        RefusedError: The cohort's text may not leave this machine.
    """
    _must_be_open(cohort.manifest.access)
    ids = [study.id for study in cohort.scored]
    stream = io.StringIO()
    writer = csv.writer(stream, lineterminator="\n")
    writer.writerow(["study_id", "report"])
    for name, following in zip(ids, [*ids[1:], *ids[:1]], strict=True):
        text = cohort.reference(following)
        writer.writerow([name, re.split(r"(?<=[.。])\s*", text, maxsplit=1)[-1] or text])
    return stream.getvalue()


def _must_be_open(access: Access) -> None:
    if access is not Access.OPEN:
        raise RefusedError("an example would hold this cohort's text, which may not leave its owner's machine")
