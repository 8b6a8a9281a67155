"""The kinds of edits, and what a metric should do about each."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class Group(StrEnum):
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
class Kind:
    """One kind of edit."""

    name: str
    group: Group
    says: str
    """What the edit does, as a sentence without its subject."""


KINDS: tuple[Kind, ...] = (
    Kind("wording", Group.HARMLESS, "replaces words by a synonym"),
    Kind("rephrased", Group.HARMLESS, "says one sentence in another way"),
    Kind("order", Group.HARMLESS, "exchanges two sentences"),
    Kind("bullets", Group.HARMLESS, "writes each sentence as an item of a list"),
    Kind("headings", Group.HARMLESS, "takes the headings away"),
    Kind("capitals", Group.HARMLESS, "writes everything in capitals"),
    Kind("punctuation", Group.HARMLESS, "joins two sentences by a semicolon"),
    Kind("spelling", Group.HARMLESS, "uses another spelling or a typing error"),
    Kind("abbreviation", Group.HARMLESS, "abbreviates a term"),
    Kind("units", Group.HARMLESS, "gives the same length in another unit"),
    Kind("comparison", Group.HARMLESS, "adds that no earlier film was compared"),
    Kind("remark added", Group.HARMLESS, "adds a remark on technique"),
    Kind("remark dropped", Group.HARMLESS, "takes away a remark on technique"),
    Kind("pertinent negative", Group.DEBATED, "takes away a finding that is denied"),
    Kind("omitted", Group.SIGNIFICANT, "takes a finding away"),
    Kind("invented", Group.SIGNIFICANT, "adds a finding"),
    Kind("negated", Group.SIGNIFICANT, "denies a finding that is present"),
    Kind("unnegated", Group.SIGNIFICANT, "states a finding that is denied"),
    Kind("replaced", Group.SIGNIFICANT, "states another finding in place of one"),
    Kind("two errors", Group.SIGNIFICANT, "makes two of these errors"),
    Kind("three errors", Group.SIGNIFICANT, "makes three of these errors"),
    Kind("side", Group.ATTRIBUTE, "exchanges right and left"),
    Kind("severity", Group.ATTRIBUTE, "makes a finding milder or more severe"),
    Kind("size", Group.ATTRIBUTE, "changes the size of a lesion or of the heart"),
    Kind("count", Group.ATTRIBUTE, "makes several of one"),
    Kind("position", Group.ATTRIBUTE, "moves a finding up or down"),
    Kind("change", Group.ATTRIBUTE, "makes something old new, or something new old"),
    Kind("tip", Group.ATTRIBUTE, "moves the tip of a device"),
    Kind("prior", Group.ATTRIBUTE, "compares with an earlier film that is not there"),
    Kind("measurement", Group.ATTRIBUTE, "gives a wrong unit"),
    Kind("section", Group.ATTRIBUTE, "writes a finding in the section of another"),
)
"""In the order of tables. `two errors` and `three errors` serve monotonicity alone."""
BY_NAME = {kind.name: kind for kind in KINDS}
SAME = Kind("same", Group.SAME, "changes nothing")
MULTIPLE = ("two errors", "three errors")


def group_of(name: str) -> Group:
    """The group of a kind; `same` is the pair of a report with itself."""
    return Group.SAME if name == SAME.name else BY_NAME[name].group
