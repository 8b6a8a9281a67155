"""Why each decision is what it is: the rule and the words of every finding of every report of a file."""

from __future__ import annotations

import csv
import io
import json
import os
from collections.abc import Iterator, Sequence
from itertools import islice
from pathlib import Path

from harness.errors import UsageError
from harness.findings import VOCABULARIES
from harness.formats.reports import rows
from harness.optional import Explains
from harness.storage import files
from harness.types import Extractor, Json, Labels

COLUMNS = ("study_id", "status", "finding", "value", "rule", "start", "end", "words", "flags")
CHUNK = 500
"""Reports that are read at a time."""


def write(source: Path, out: Path, made: Extractor, access_open: bool = False) -> int:
    """Write the evidence of every decision, in the order of the source.

    Args:
        source: The reports, as `harness.labelling.corpus.label` reads them.
        out: `.csv` has one row for each stretch of words, and one for a decision without any; `.jsonl` has one object a decision. `start`
            and `end` count characters of the report; of a file with findings and impression, of both joined by a line end.
        made: An extractor that keeps evidence.
        access_open: Whether the reports are public. The file holds words of them: otherwise nobody but its owner can read it.

    Returns:
        How many decisions were written.

    Raises:
        UsageError: As `check`.
        InputError: Something is wrong with the reports.
    """
    check(source, out, made)
    form = _FORMS[out.suffix]
    count = 0
    with files.writing(out) as stream:
        if form is _csv:
            stream.write(_line(COLUMNS))
        for name, text, labels in _labelled(source, made):
            decisions = list(_decisions(name, text, labels, VOCABULARIES[made.vocabulary]))
            stream.write(b"".join(map(form, decisions)))
            count += len(decisions)
    if not access_open:
        os.chmod(out, 0o600)
    return count


def check(source: Path, out: Path, made: Extractor) -> None:
    """Check that evidence can be written.

    Raises:
        UsageError: The name ends in neither .csv nor .jsonl, or is that of the reports, or the extractor keeps no evidence.
    """
    if out.suffix not in _FORMS or out.resolve() == source.resolve():
        raise UsageError(f"evidence is CSV or JSON Lines: let {out.name!r} end in .csv or .jsonl, and be another file than the reports")
    if not (isinstance(made, Explains) and made.explains):
        raise UsageError(f"the extractor {made.name} keeps no evidence; leave --evidence away, or label with lexical")


def _labelled(source: Path, made: Extractor) -> Iterator[tuple[str, str, Labels]]:
    every = rows(source)
    while pairs := list(islice(every, CHUNK)):
        for (name, text), labels in zip(pairs, made.extract([text for _, text in pairs]), strict=True):
            yield name, text, labels


def _decisions(name: str, text: str, labels: Labels, findings: tuple[str, ...]) -> Iterator[Json]:
    """One object for each finding of a report."""
    for index, finding in enumerate(findings):
        spans = labels.evidence[index] if index < len(labels.evidence) else ()
        yield {
            "study_id": name,
            "status": labels.report.value,
            "finding": finding,
            "value": labels.values[index],
            "rule": labels.rules[index] if index < len(labels.rules) else "",
            "words": [{"start": start, "end": end, "text": text[start:end]} for start, end in spans],
            "flags": list(labels.flags),
        }


def _jsonl(decision: Json) -> bytes:
    return (json.dumps(decision, ensure_ascii=False) + "\n").encode()


def _csv(decision: Json) -> bytes:
    head = [decision[key] for key in ("study_id", "status", "finding")] + [
        "" if decision["value"] is None else decision["value"],
        decision["rule"],
    ]
    flags = " ".join(decision["flags"])
    stretches = [[item["start"], item["end"], item["text"]] for item in decision["words"]] or [["", "", ""]]
    return b"".join(_line([*head, *stretch, flags]) for stretch in stretches)


def _line(cells: Sequence[object]) -> bytes:
    stream = io.StringIO()
    csv.writer(stream, lineterminator="\n").writerow(cells)
    return stream.getvalue().encode()


_FORMS = {".csv": _csv, ".jsonl": _jsonl}
