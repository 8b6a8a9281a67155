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
from submissions import names
from submissions.reserved import is_board, is_reserved

LENGTHS = {"name": 80, "version": 40, "organisation": 80, "link": 200}
CHOICES = ("yes", "no", "unknown")
LONGEST_BLIND = 366
"""Days for which a system may stay anonymous."""


def problems(card: SystemCard, today: date) -> Iterator[Problem]:
    """Everything that is wrong with a card."""
    for field in LENGTHS:
        yield from _too_long(field, getattr(card, field)) or _text_problems(field, getattr(card, field))
    if card.link and not _is_link(card.link):
        yield Problem("the link is not an address that begins with https:// or http://", "Write the whole address")
    for field in ("open_weights", "trained_on_cohort"):
        if getattr(card, field) not in CHOICES:
            yield Problem(f"{field} is not one of {', '.join(CHOICES)}", "Choose one")
    if card.role is not Role.SYSTEM:
        yield Problem("only systems are submitted; floors and ceilings are made by the board", "Leave the role out")
    if card.anonymous_until:
        yield from _date_problems(card.anonymous_until, today)


def _too_long(field: str, value: str) -> list[Problem]:
    # Compatibility forms count as what they look like: one ligature can be eighteen letters wide.
    length = max(len(value), len(unicodedata.normalize("NFKC", value)))
    what = f"the {field} has {length} characters; {LENGTHS[field]} are allowed"
    return [Problem(what, "Shorten it")] if length > LENGTHS[field] else []


def _text_problems(field: str, value: str) -> Iterator[Problem]:
    if field == "name" and not names.skeleton(value):
        yield Problem("the system's name has no letter and no digit", "Write one")
    elif not value.isprintable() or re.search(r"[<>`\\]", value):
        yield Problem(f"the {field} holds markup, a line break or a control character", "Write plain text")
    elif value and field != "link" and not value[0].isalnum():
        yield Problem(f"the {field} begins with a sign", "Begin with a letter or a digit")
    else:
        for what in names.problems(value):
            yield Problem(f"the {field} holds {what}", "Write it in the letters of one script, as you would type them")
    if field == "name" and is_reserved(value):
        yield Problem("the name is that of a floor, a ceiling, a person's role or the board itself", "Choose another")
    if field == "organisation" and is_board(value):
        yield Problem("the organisation is the board itself", "Name your own")


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


def shown(card: SystemCard, submission: str, today: date) -> SystemCard:
    """The card as it may be shown today: the alias while the system is anonymous."""
    return alias(card, submission) if is_anonymous(card, today) else card


def alias(card: SystemCard, submission: str) -> SystemCard:
    """The card without name, organisation and link."""
    # Made from the submission's id and nothing else: a name that is submitted twice does not show that it is the same.
    name = sha256(f"alias {submission}".encode()).hexdigest()[:6]
    return replace(card, name=f"anonymous {name}", version="", organisation="", link="")


def is_anonymous(card: SystemCard, today: date) -> bool:
    """Whether its authors do not want to be known yet."""
    return bool(card.anonymous_until) and today < date.fromisoformat(card.anonymous_until)
