"""The kinds of edits, and what a metric should do about each."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class EditGroup(StrEnum):
    """What an edit of a kind means to a reader of the report."""

    SAME = "same"
    """No edit."""
    HARMLESS = "harmless"
    """A score should not fall."""
    DEBATED = "debated"
    """People do not agree whether a score should fall: shown, and part of no average."""
    SIGNIFICANT = "significant"
    """A finding is wrong: a score should fall."""
    ATTRIBUTE = "attribute"
    """A property of a finding is wrong: a score should fall."""


@dataclass(frozen=True, slots=True)
class EditKind:
    """One kind of edit."""

    name: str
    group: EditGroup
    says: str
    """What the edit does, as a sentence without its subject."""


KINDS: tuple[EditKind, ...] = (
    EditKind("wording", EditGroup.HARMLESS, "replaces words by a synonym"),
    EditKind("rephrased", EditGroup.HARMLESS, "says one sentence in another way"),
    EditKind("order", EditGroup.HARMLESS, "exchanges two sentences"),
    EditKind("bullets", EditGroup.HARMLESS, "writes each sentence as an item of a list"),
    EditKind("headings", EditGroup.HARMLESS, "takes the headings away"),
    EditKind("capitals", EditGroup.HARMLESS, "writes everything in capitals"),
    EditKind("punctuation", EditGroup.HARMLESS, "joins two sentences by a semicolon"),
    EditKind("spelling", EditGroup.HARMLESS, "uses another spelling or a typing error"),
    EditKind("abbreviation", EditGroup.HARMLESS, "abbreviates a term"),
    EditKind("units", EditGroup.HARMLESS, "gives the same length in another unit"),
    EditKind("comparison", EditGroup.HARMLESS, "adds that no earlier film was compared"),
    EditKind("remark added", EditGroup.HARMLESS, "adds a remark on technique"),
    EditKind("remark dropped", EditGroup.HARMLESS, "takes away a remark on technique"),
    EditKind("pertinent negative", EditGroup.DEBATED, "takes away a finding that is denied"),
    EditKind("omitted", EditGroup.SIGNIFICANT, "takes a finding away"),
    EditKind("invented", EditGroup.SIGNIFICANT, "adds a finding"),
    EditKind("negated", EditGroup.SIGNIFICANT, "denies a finding that is present"),
    EditKind("unnegated", EditGroup.SIGNIFICANT, "states a finding that is denied"),
    EditKind("replaced", EditGroup.SIGNIFICANT, "states another finding in place of one"),
    EditKind("two errors", EditGroup.SIGNIFICANT, "makes two of these errors"),
    EditKind("three errors", EditGroup.SIGNIFICANT, "makes three of these errors"),
    EditKind("side", EditGroup.ATTRIBUTE, "exchanges right and left"),
    EditKind("severity", EditGroup.ATTRIBUTE, "makes a finding milder or more severe"),
    EditKind("size", EditGroup.ATTRIBUTE, "changes the size of a lesion or of the heart"),
    EditKind("count", EditGroup.ATTRIBUTE, "makes several of one"),
    EditKind("position", EditGroup.ATTRIBUTE, "moves a finding up or down"),
    EditKind("change", EditGroup.ATTRIBUTE, "makes something old new, or something new old"),
    EditKind("tip", EditGroup.ATTRIBUTE, "moves the tip of a device"),
    EditKind("prior", EditGroup.ATTRIBUTE, "compares with an earlier film that is not there"),
    EditKind("measurement", EditGroup.ATTRIBUTE, "gives a wrong unit"),
    EditKind("section", EditGroup.ATTRIBUTE, "writes a finding in the section of another"),
)
"""In the order of tables. `two errors` and `three errors` serve monotonicity alone."""
BY_NAME = {kind.name: kind for kind in KINDS}
SAME = EditKind("same", EditGroup.SAME, "changes nothing")
MULTIPLE = ("two errors", "three errors")


def group_of(name: str) -> EditGroup:
    """The group of a kind; `same` is the pair of a report with itself."""
    return EditGroup.SAME if name == SAME.name else BY_NAME[name].group
