"""Handing in to a board that runs elsewhere: a Space by its name, or any address. The page there checks everything again."""

from __future__ import annotations

import json
import os
import urllib.request
from http.client import HTTPException
from pathlib import Path
from urllib.error import HTTPError
from urllib.parse import quote

from harness.errors import InputError, Problem, RanscoreError, RefusedError, UnavailableError, UsageError
from harness.types import Json, SystemCard
from submissions.intake import Receipt, card_json

PATIENCE = 120.0
"""Seconds without an answer after which the page counts as not there."""
ERRORS = {400: InputError, 403: RefusedError, 404: UsageError, 413: InputError, 422: InputError}
"""What a page's status means; any other is a page that does not answer."""


def is_remote(place: str) -> bool:
    """Whether `--to` names an address or a Space rather than a folder."""
    return place.startswith(("http://", "https://")) or (place.count("/") == 1 and not Path(place).is_dir() and place[0] not in "./~")


def door(place: str, cohort: str) -> Json:
    """What a page says of a cohort before anything is sent: access, ids, limits; `leaderboard/page_door.py` lists the keys.

    Raises:
        UsageError: It has no such cohort.
        UnavailableError: The page does not answer.
    """
    return ask(place, f"door?cohort={quote(cohort, safe='')}")


def submit(
    place: str,
    path: Path,
    cohort: str,
    card: SystemCard,
    *,
    agreed: bool = False,
    looked: bool = False,
    dry_run: bool = False,
    code: str = "",
) -> tuple[Receipt | None, Json]:
    """Hand a file in.

    Returns:
        The receipt (None for a dry run), and what the page answered.

    Raises:
        InputError: The page found problems; they are named as it named them. Or the file cannot be read.
        RefusedError: Its privacy screen noticed something, or it does not know who asks.
        UsageError: It has no such cohort.
        UnavailableError: The page does not answer.
    """
    known = {key: value for key, value in card_json(card).items() if key != "role"}
    head = {"name": path.name, "cohort": cohort, "card": known, "agreed": agreed, "looked": looked, "dry": dry_run, "code": code}
    try:
        content = path.read_bytes()
    except OSError as error:
        raise InputError(Problem(f"it cannot be read ({type(error).__name__})", "Name a file", str(path))) from None
    answer = ask(place, "hand-in", json.dumps(head).encode() + b"\n" + content, "application/octet-stream")
    if problems := answer.get("problems"):
        raise InputError([Problem(**problem) for problem in problems])
    if not dry_run and not answer.get("id"):
        raise RefusedError([Problem(**problem) for problem in answer["private"]])
    return (None if dry_run else Receipt(answer["id"], answer["code"])), answer


def receipt(place: str, name: str) -> Json:
    """What a receipt says now.

    Raises:
        UsageError: There is none of this id.
        UnavailableError: The page does not answer.
    """
    return ask(place, f"receipt/{quote(name, safe='')}")


def withdraw(place: str, name: str, code: str, reason: str) -> Json:
    """Withdraw.

    Raises:
        RefusedError: The page does not allow it.
        UsageError: There is no such submission.
        UnavailableError: The page does not answer.
    """
    return ask(place, "withdraw", json.dumps({"id": name, "code": code, "reason": reason}).encode(), "application/json")


def ask(place: str, route: str, body: bytes | None = None, kind: str = "") -> Json:
    """Ask one of the page's routes; the token of `HF_TOKEN`, where there is one, goes to a Space alone.

    Args:
        place: A Space's name or an address.
        route: Behind `/ranscore/`.
        body: What is sent; nothing is asked for by GET.
        kind: The body's content type.

    Raises:
        RanscoreError: The page refuses, in its own words.
        UnavailableError: The page does not answer.
    """
    address, headers = _address(place)
    if body is not None:
        headers |= {"content-type": kind, "x-ranscore": "1"}
    try:
        status, content = _request(f"{address}/ranscore/{route}", body, headers)
        found = json.loads(content)
    except (OSError, HTTPException, ValueError, RecursionError) as error:
        raise UnavailableError(f"the board at {place} does not answer ({type(error).__name__}); is the address right?") from None
    if not isinstance(found, dict):
        raise UnavailableError(f"what answers at {place} is not this program's page")
    if status != 200:
        raise _refusal(place, status, found)
    return found


class _NoRedirect(urllib.request.HTTPRedirectHandler):
    """What is sent, and a token with it, goes to the address that was named and to no other."""

    def redirect_request(self, *_: object) -> None:
        """No other request instead."""


def _request(address: str, body: bytes | None, headers: dict[str, str]) -> tuple[int, bytes]:
    """Status and body of an answer. No redirect is followed, and a proxy only where it sees nothing of what is sent."""
    proxies = urllib.request.ProxyHandler(None if address.startswith("https://") else {})
    opener = urllib.request.build_opener(_NoRedirect, proxies)
    try:
        with opener.open(urllib.request.Request(address, body, headers), timeout=PATIENCE) as answer:  # noqa: S310 - checked above
            return int(answer.status), bytes(answer.read())
    except HTTPError as error:
        with error:
            return error.code, error.read()


def _refusal(place: str, status: int, found: Json) -> RanscoreError:
    """A refusal as the error that the same would be on this machine."""
    kind = ERRORS.get(status, UnavailableError)
    try:
        return kind([Problem(**problem) for problem in found["problems"]])
    except (KeyError, TypeError):
        return UnavailableError(f"the board at {place} answered with status {status}; is the address right?")


def _address(place: str) -> tuple[str, dict[str, str]]:
    """The address of a page, and what is said of oneself there."""
    if place.startswith(("http://", "https://")):
        return place.partition("?")[0].partition("#")[0].rstrip("/"), {}
    from huggingface_hub import HfApi

    token = os.environ.get("HF_TOKEN") or False
    try:
        host = HfApi().space_info(place, token=token).host
    except Exception as error:  # of several packages, which differ by version
        raise UnavailableError(f"the Hub does not know the Space {place} ({type(error).__name__}); is its name right?") from None
    if not host:
        raise UnavailableError(f"the Space {place} does not run just now")
    return host.rstrip("/"), {"authorization": f"Bearer {token}"} if token else {}
