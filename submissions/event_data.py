"""What an event holds, by its kind: checked where events are read."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import Final

from harness.records import record as records
from harness.records.record import card_from_json
from harness.storage.shaped import ShapeError, build, known
from harness.storage.stored import Source
from harness.types import Access, Json

BLOB: Final = re.compile(r"files/[0-9a-f]{64}\.jsonl", re.ASCII)
"""The name of a file of reports."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Received:
    """A file was submitted."""

    cohort: str
    cohort_name: str
    access: Access
    file: str
    person: str
    code: str
    continues: str = ""
    agreed: bool = False
    warnings: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Claimed:
    """A worker took it, or goes on with it."""

    by: str
    until: float
    renewed: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Scored:
    """It has a record."""

    flags: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Ended:
    """It was rejected or withdrawn."""

    reasons: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Failed:
    """An attempt failed."""

    why: str = ""
    ours: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class SetAside:
    """It was given up until a person has looked."""

    why: str
    attempts: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Moderated:
    """Those who run the board decided something."""

    reason: str
    person: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Nothing:
    """The kind says all."""


KINDS: Final[Mapping[str, type]] = {
    "received": Received,
    "claimed": Claimed,
    "validated": Nothing,
    "scored": Scored,
    "listed": Nothing,
    "rejected": Ended,
    "withdrawn": Ended,
    "failed": Failed,
    "set aside": SetAside,
    **dict.fromkeys(("hidden", "shown", "unflagged", "resumed", "freed", "kept", "banned", "unbanned"), Moderated),
}


def check(kind: str, data: Json, source: Source) -> None:
    """Check what an event of a known kind holds; further fields are for programs that know them.

    Raises:
        ShapeError: A field is missing or of another type.
        RanscoreError: Its record is no record.
    """
    build(KINDS[kind], known(KINDS[kind], data))
    if kind == "received":
        _check_received(data)
    elif kind == "claimed" and not re.fullmatch(r".*:\d+:[^:]*", data["by"], re.DOTALL):
        raise ShapeError("by is no worker")
    elif kind == "scored":
        records.from_json(data.get("record"), source=source)


def _check_received(data: Json) -> None:
    card = card_from_json(data.get("card"))
    if card.anonymous_until:
        date.fromisoformat(card.anonymous_until)
    if not BLOB.fullmatch(data["file"]):
        raise ShapeError("file is not the name of a file of reports")
