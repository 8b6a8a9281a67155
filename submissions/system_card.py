"""The card that goes with a submission: what it may say, and what of it is shown before its authors want to be known."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator
from dataclasses import replace
from datetime import date
from hashlib import sha256
from urllib.parse import urlsplit

from harness.errors import Problem
from harness.types import Role, SystemCard

LENGTHS = {"name": 80, "version": 40, "organisation": 80, "link": 200}
CHOICES = ("yes", "no", "unknown")
RESERVED = frozenset(
    ("references", "reference", "constantnormal", "allfindings", "shuffledreferences", "nearestneighbour", "ranscore", "radiologist")
)
"""Names of floors and ceilings, and what could be taken for the board's own word; as `bare` makes them."""
LONGEST_BLIND = 366
"""Days for which a system may stay anonymous."""


def problems(card: SystemCard, today: date) -> Iterator[Problem]:
    """Everything that is wrong with a card."""
    if not card.name.strip():
        yield Problem("the system has no name", "Write one")
    for field, length in LENGTHS.items():
        value = getattr(card, field)
        if len(value) > length:
            yield Problem(f"the {field} has {len(value)} characters; {length} are allowed", "Shorten it")
        elif not value.isprintable() or re.search(r"[<>`\\]|[\u200b-\u200f\u202a-\u202e\u2060-\u2069]", value):
            yield Problem(f"the {field} holds markup, a line break or a control character", "Write plain text")
        elif value and field != "link" and not value[0].isalnum():
            yield Problem(f"the {field} begins with a sign", "Begin with a letter or a digit")
    if bare(card.name) in RESERVED:
        yield Problem("the name is that of a floor, a ceiling or the board itself", "Choose another")
    if card.link and not _is_link(card.link):
        yield Problem("the link is not an address that begins with https:// or http://", "Write the whole address")
    for field in ("open_weights", "trained_on_cohort"):
        if getattr(card, field) not in CHOICES:
            yield Problem(f"{field} is not one of {', '.join(CHOICES)}", "Choose one")
    if card.role is not Role.SYSTEM:
        yield Problem("only systems are handed in; floors and ceilings are made by the board", "Leave the role out")
    if card.anonymous_until:
        yield from _date_problems(card.anonymous_until, today)


def _is_link(text: str) -> bool:
    try:
        parts = urlsplit(text)
        return parts.scheme in ("http", "https") and bool(parts.hostname) and not parts.username and not re.search(r"[\s\"'()]", text)
    except ValueError:
        return False


def _date_problems(text: str, today: date) -> Iterator[Problem]:
    try:
        until = date.fromisoformat(text)
    except ValueError:
        yield Problem("the date until which the system is anonymous is not a date", "Write it as 2027-01-31")
        return
    if not 0 < (until - today).days <= LONGEST_BLIND:
        yield Problem("the date until which the system is anonymous is past, or more than a year away", "Choose a day of the coming year")


def bare(name: str) -> str:
    """A name as far as it tells systems apart: letters and digits in one case, look-alike forms made one."""
    return "".join(filter(str.isalnum, unicodedata.normalize("NFKC", name).casefold()))


def shown(card: SystemCard, submission: str, today: date) -> SystemCard:
    """The card as it may be shown today: without name, organisation and link while the system is anonymous."""
    if not card.anonymous_until or today >= date.fromisoformat(card.anonymous_until):
        return card
    # Of the submission's id and of nothing else: the same name handed in twice does not show that it is the same.
    alias = sha256(f"alias {submission}".encode()).hexdigest()[:6]
    return replace(card, name=f"anonymous {alias}", version="", organisation="", link="")
