"""The two parts of a standard: errors of *tune* are looked at and learned from, *held* is kept for the end. Split by patient, once."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from hashlib import sha256

from harness.findings import NO_FINDING, RAN_21
from harness.types import Status
from validation.extractors.reference import ORIGINAL, SOURCES, Reference

TUNE, HELD = "tune", "held"
PARTS = (TUNE, HELD)
EVERY = 3
"""Each third patient is held back."""


def split(reference: Reference) -> dict[str, str]:
    """By patient the part.

    Patients are sorted by their rarest finding, so that both parts have patients with it, and among these by a hash that depends on the
    standard. So a standard has one split, on every machine and for every draft.
    """
    seen = _findings(reference)
    common = Counter(name for found in seen.values() for name in found)
    rarest = {patient: min(found, key=lambda name: (common[name], name)) if found else "" for patient, found in seen.items()}
    size = Counter(rarest.values())

    def place(patient: str) -> tuple[int, str, bytes]:
        return size[rarest[patient]], rarest[patient], sha256(f"{reference.digest}|{patient}".encode()).digest()

    ordered = sorted(seen, key=place)
    return {patient: HELD if index % EVERY == EVERY - 1 else TUNE for index, patient in enumerate(ordered)}


def _findings(reference: Reference) -> dict[str, set[str]]:
    """By patient the findings, without *No Finding*, that the readers see in a report."""
    seen: dict[str, set[str]] = {item.patient: set() for item in reference.items}
    for item in reference.items:
        own = reference.labels[item.id]
        decided = zip(RAN_21, own.values, own.statuses, strict=True)
        seen[item.patient] |= {name for name, value, status in decided if value == 1 and status is Status.OK and name != NO_FINDING}
    return seen


def part_of(reference: Reference, part: str) -> Reference:
    """One part of a standard, as a standard that still has the digest of the whole.

    Where original reports were read beside generated ones, it has the original ones alone: a draft is tried on one kind of reports.

    Args:
        reference: The whole standard.
        part: One of `PARTS`.
    """
    known = split(reference)
    sources = {item.source for item in reference.items}
    kind = next((source for source in SOURCES if source in sources), ORIGINAL)
    items = tuple(item for item in reference.items if known[item.patient] == part and item.source == kind)
    return replace(reference, items=items, labels={item.id: reference.labels[item.id] for item in items}, part=part)
