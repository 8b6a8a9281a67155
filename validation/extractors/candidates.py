"""What extractors say about the items of a standard: decisions of every kind of extractor in one form."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace

import numpy as np
from numpy.typing import NDArray

from harness.errors import InputError, Problem
from harness.findings import CHEXPERT_14, COMPARABLE_14, NO_FINDING, RAN_21
from harness.optional import asked, official
from harness.types import Extractor, Labels, ReportStatus, Status
from validation.extractors.reference import ALL_SHOWN, Reference

Codes = NDArray[np.int8]
"""Shape (items, 21)."""
PRESENT, ABSENT, NONE = 1, 0, -1
"""Codes of decisions; `NONE` is a decision without an answer, which is wrong whatever the right answer is."""
FLOOR = "always absent"


@dataclass(frozen=True, slots=True, kw_only=True)
class Candidate:
    """The decisions of one extractor."""

    title: str
    """What tables call it."""
    name: str
    """The name of the extractor; `label file`, or `floor`."""
    digest: str = ""
    official: bool = False
    by: str = ""
    """Which pack was asked of which model."""
    covers: tuple[str, ...] = RAN_21
    """The findings that it decides."""
    codes: Codes = field(repr=False)
    """A finding that it does not decide is `ABSENT` everywhere."""
    statuses: Mapping[str, int] = field(default_factory=dict)
    """How many decisions, and how many reports, are not plain answers."""
    by_finding: Mapping[str, Mapping[str, int]] = field(default_factory=dict)
    """The same for the decisions of each finding."""


def truth(reference: Reference) -> Codes:
    """The readers' decisions; `NONE` where they did not decide, which leaves the cell out."""
    rows = [
        [value if status is Status.OK and value in (0, 1) else NONE for value, status in zip(own.values, own.statuses, strict=True)]
        for own in (reference.labels[item.id] for item in reference.items)
    ]
    return np.array(rows, dtype=np.int8).reshape(len(reference.items), len(RAN_21))


def letters(codes: Codes) -> list[str]:
    """Each row as text, one character a finding: 0, 1, or - for no answer."""
    written = np.where(codes == NONE, ord("-"), ord("0") + codes).astype(np.uint8).tobytes().decode("ascii")
    return [written[start : start + len(RAN_21)] for start in range(0, len(written), len(RAN_21))]


def floor(reference: Reference) -> Candidate:
    """The extractor that never sees anything: 0 for each finding, so that *No Finding* is 1."""
    codes = np.zeros((len(reference.items), len(RAN_21)), dtype=np.int8)
    codes[:, RAN_21.index(NO_FINDING)] = PRESENT
    return Candidate(title=FLOOR, name="floor", codes=codes)


def run(extractor: Extractor, title: str, reference: Reference, reports: Mapping[str, str]) -> list[Candidate]:
    """Label the reports.

    Args:
        extractor: Who labels; one of the 14 observations becomes several candidates, see `of_labels`.
        title: What tables call it.
        reference: The standard.
        reports: By item the text.
    """
    labels = dict(zip(reports, extractor.extract(list(reports.values())), strict=True))
    made = of_labels(labels, title, reference, extractor.vocabulary)
    by = asked(extractor)[0]
    return [_signed(one, extractor, by) for one in made]


def _signed(one: Candidate, extractor: Extractor, by: str) -> Candidate:
    return replace(one, name=extractor.name, digest=extractor.digest, official=official(extractor), by=by)


def of_labels(labels: Mapping[str, Labels], title: str, reference: Reference, vocabulary: str = "ran-21") -> list[Candidate]:
    """Candidates from labels by item.

    Labels of the 14 observations give four: uncertain as present and as absent, and for *No Finding*, where a device counts as a
    finding in one vocabulary and not in the other, its own answer and the one that follows from the other 13 by the rule of the 21.
    """
    rows = [labels[item.id] for item in reference.items]
    if vocabulary == "ran-21":
        return [_candidate(title, rows, RAN_21, {-1: ABSENT}, counted=-1)]
    made = []
    for word, value in (("present", PRESENT), ("absent", ABSENT)):
        own = _candidate(f"{title}, uncertain {word}", rows, CHEXPERT_14, {-1: value, None: ABSENT})
        made += [own, _by_rule(own)]
    return made


def _by_rule(own: Candidate) -> Candidate:
    """*No Finding* alone, as the rule of the 21 gives it from the other comparable findings."""
    place = RAN_21.index(NO_FINDING)
    others = own.codes[:, [RAN_21.index(name) for name in COMPARABLE_14 if name != NO_FINDING]]
    codes = np.zeros_like(own.codes)
    undecided = np.where((others == NONE).any(axis=1), NONE, PRESENT)
    codes[:, place] = np.where((others == PRESENT).any(axis=1), ABSENT, undecided)
    return Candidate(title=f"{own.title}, a device counts as a finding", name=own.name, covers=(NO_FINDING,), codes=codes)


def _candidate(
    title: str, rows: Sequence[Labels], vocabulary: Sequence[str], words: Mapping[int | None, int], counted: int | None = None
) -> Candidate:
    """Decisions of one vocabulary over the columns of the 21.

    Args:
        title: What tables call it.
        rows: Labels by item.
        vocabulary: The findings of the labels.
        words: What values other than 1 and 0 mean; one that is not named is no answer.
        counted: A value that is counted as uncertain.
    """
    codes = np.zeros((len(rows), len(RAN_21)), dtype=np.int8)
    total: Counter[str] = Counter()
    each: dict[str, Counter[str]] = {name: Counter() for name in vocabulary}
    columns = [RAN_21.index(name) for name in vocabulary]
    for index, row in enumerate(rows):
        if row.report is not ReportStatus.OK:
            total[row.report.value] += 1
            continue
        for name, column, (value, status) in zip(vocabulary, columns, zip(row.values, row.statuses, strict=True), strict=True):
            codes[index, column], word = _code(value, status, words, counted)
            if word:
                each[name][word] += 1
                total[word] += 1
    given = {name: dict(sorted(count.items())) for name, count in each.items() if count}
    covers = tuple(name for name in RAN_21 if name in set(vocabulary))
    return Candidate(title=title, name="label file", covers=covers, codes=codes, statuses=dict(sorted(total.items())), by_finding=given)


def _code(value: int | None, status: Status, words: Mapping[int | None, int], counted: int | None) -> tuple[int, str]:
    """The code of a decision, and the word under which it is counted; empty for a plain answer."""
    if status is not Status.OK:
        return NONE, status.value
    if value in (0, 1):
        return int(value or 0), ""
    if value in words:
        return words[value], "uncertain" if value == counted else ""
    return NONE, "open"


def by_item(labels: Mapping[str, Labels], reference: Reference, file: str) -> dict[str, Labels]:
    """Labels of a file, by item; the row of a generated report has its item's id behind that of the study, as in the standard's own labels.

    Raises:
        InputError: The file has no row for some of the items.
    """
    missing = [item.row for item in reference.items if item.row not in labels]
    if missing:
        raise InputError(list(_missing(missing, reference, file)))
    return {item.id: labels[item.row] for item in reference.items}


def _missing(studies: Sequence[str], reference: Reference, file: str) -> Iterator[Problem]:
    remedy = "Label every report of the standard; a report that could not be labelled has a row with its status"
    for name in studies[:ALL_SHOWN]:
        yield Problem(f"it has no row for a study of the standard {reference.name}", remedy, file, study=name)
    if len(studies) > ALL_SHOWN:
        yield Problem(f"and no row for {len(studies) - ALL_SHOWN} more studies", remedy, file)
