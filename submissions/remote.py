"""Submitting to a board that runs elsewhere: a Space by its name, or any address.

Everything is checked here before a file is sent, and on the page again. What a page answers is not trusted.
"""

from __future__ import annotations

import asyncio
import io
import json
import os
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, TypeVar
from urllib.parse import quote, urlsplit

import aiohttp

from harness.errors import InputError, Problem, RanscoreError, RefusedError, UnavailableError, UsageError
from harness.storage.shaped import ShapeError, build, known
from harness.storage.stored import Source, parse, unsealed
from harness.types import Json, SystemCard
from submissions.intake import Receipt, card_json
from submissions.sending import Facts, kept_here, prepare

Told = TypeVar("Told")
LARGEST = 64 << 20
"""Bytes of an answer: the ids of a large cohort are 10 MB."""

PATIENCE = 120.0
"""Seconds without an answer after which the page counts as not there."""
ERRORS = {400: InputError, 403: RefusedError, 404: UsageError, 413: InputError, 422: InputError}
"""What a page's status means; any other is a page that does not answer."""


def is_remote(place: str) -> bool:
    """Whether `--to` names an address or a Space rather than a folder."""
    return place.startswith(("http://", "https://")) or (place.count("/") == 1 and not Path(place).is_dir() and place[0] not in "./~")


def facts(place: str, cohort: str) -> Facts:
    """What a page says of a cohort before anything is sent.

    Raises:
        UsageError: It has no such cohort.
        UnavailableError: The page does not answer, or is not this program's.
    """
    found = _read(place, Facts, ask(place, f"door?cohort={quote(cohort, safe='')}"))
    if not found.agrees:
        raise UnavailableError(f"what answers at {place} contradicts itself; is the address right?")
    return found


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
    """Check a file here, and submit it.

    Args:
        code: The code of an earlier receipt of the system, which a new version needs where there is no login.

    Returns:
        The receipt (None for a dry run), and what is to be said of the file.

    Raises:
        InputError: Something is wrong with the file or the card, as far as this machine or the page can tell.
        RefusedError: The data-use sentence is not agreed to, the reports may name patients, or the page does not know who asks.
        UsageError: The page has no such cohort.
        UnavailableError: The page does not answer.
    """
    today = datetime.now(UTC).date()
    ready = prepare(path, facts(place, cohort), card, today, agreed=agreed, looked=looked, dry_run=dry_run)
    if dry_run and ready.closed:
        return None, kept_here(ready)
    known = {key: value for key, value in card_json(card).items() if key != "role"}
    head = {"name": path.name, "cohort": cohort, "card": known, "agreed": agreed, "looked": looked, "dry": dry_run, "code": code}
    found = ask(place, "hand-in", json.dumps(head).encode() + b"\n" + ready.content, "application/octet-stream")
    answer = _read(place, _Answer, found)
    if answer.problems:
        raise InputError(answer.problems)
    if not dry_run and not answer.id:
        raise RefusedError(answer.private)
    return (None if dry_run else Receipt(answer.id, answer.code)), {
        "warnings": [*answer.warnings, *map(str, answer.private)],
        "reports": answer.reports,
    }


@dataclass(frozen=True, slots=True, kw_only=True)
class _Answer:
    """What a page says of a file."""

    problems: tuple[Problem, ...] = ()
    warnings: tuple[str, ...] = ()
    private: tuple[Problem, ...] = ()
    reports: int = 0
    id: str = ""
    code: str = ""


def _read(place: str, kind: type[Told], found: Json) -> Told:
    """What a page answered; fields that this program does not know are passed over."""
    try:
        return build(kind, known(kind, found))
    except ShapeError as error:
        raise UnavailableError(f"what answers at {place} is not this program's page, or another version of it: {error}") from None


@dataclass(frozen=True, slots=True)
class _Lines:
    id: str
    lines: tuple[str, ...]


def receipt(place: str, name: str) -> Json:
    """What a receipt says now; its `lines` are for people.

    Raises:
        UsageError: There is none of this id.
        UnavailableError: The page does not answer.
    """
    found = ask(place, f"receipt/{quote(name, safe='')}")
    _read(place, _Lines, found)
    return found


def withdraw(place: str, name: str, code: str, reason: str) -> Json:
    """Withdraw.

    Raises:
        RefusedError: The page does not allow it.
        UsageError: There is no such submission.
        UnavailableError: The page does not answer.
    """
    return ask(place, "withdraw", json.dumps({"id": name, "code": code, "reason": reason}).encode(), "application/json")


def ask(place: str, route: str, body: bytes | None = None, kind: str = "") -> Json:
    """Ask one of the page's routes. No redirect is followed, so that neither reports nor a token go anywhere else.

    Args:
        place: A Space's name or an address.
        route: Behind `/ranscore/`.
        body: What is sent; nothing is asked for by GET.
        kind: The body's content type.

    Returns:
        The answer; its texts hold no control characters and no line breaks.

    Raises:
        RanscoreError: The page refuses, in its own words.
        UnavailableError: The page does not answer.
    """
    address, headers = _address(place)
    headers |= {"accept-encoding": "identity"}
    if body is not None:
        headers |= {"content-type": kind, "x-ranscore": "1"}
    try:
        status, data = asyncio.run(_request("GET" if body is None else "POST", f"{address}/ranscore/{route}", body, headers))
    except (aiohttp.ClientError, TimeoutError, OSError, ValueError) as error:
        raise UnavailableError(f"the board at {place} does not answer ({type(error).__name__}); is the address right?") from None
    source = Source(place, "the page's answer", "Is the address right?", UnavailableError)
    if len(data) > LARGEST:
        raise source.wrong(f"it holds more than {LARGEST:,} bytes")
    found = {name: _plain(value) for name, value in unsealed(parse(data, source), source).items()}
    if status != 200:
        raise _refusal(place, status, found)
    return found


async def _request(method: str, address: str, body: bytes | None, headers: dict[str, str]) -> tuple[int, bytes]:
    """Status and body of an answer, a body that is too large cut off. A proxy is used only where it sees nothing of what is sent.

    Nothing compressed is asked for, and nothing is unpacked: its size would not be known before.
    """
    limit = aiohttp.ClientTimeout(total=None, sock_connect=30.0, sock_read=PATIENCE)
    sent = io.BytesIO(body) if body is not None else None
    data = bytearray()
    async with (
        aiohttp.ClientSession(timeout=limit, trust_env=address.startswith("https://"), auto_decompress=False) as session,
        session.request(method, address, data=sent, headers=headers, allow_redirects=False) as answer,
    ):
        async for chunk in answer.content.iter_any():
            data += chunk
            if len(data) > LARGEST:
                break
        return answer.status, bytes(data)


def _plain(value: Any) -> Any:
    """A value whose texts can be printed on a terminal: what it answers is not to be trusted."""
    if isinstance(value, str):
        return "".join(sign if sign.isprintable() else " " for sign in value)
    if isinstance(value, list):
        return [_plain(item) for item in value]
    return {_plain(name): _plain(item) for name, item in value.items()} if isinstance(value, dict) else value


def _refusal(place: str, status: int, found: Json) -> RanscoreError:
    """A refusal as the error that the same would be on this machine."""
    kind = ERRORS.get(status, UnavailableError)
    try:
        problems = build(_Answer, known(_Answer, found)).problems
    except ShapeError:
        problems = ()
    return kind(problems) if problems else UnavailableError(f"the board at {place} answered with status {status}; is the address right?")


def _address(place: str) -> tuple[str, dict[str, Any]]:
    """The address of a page, and what the user states there."""
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
    known_host = host.startswith("https://") and str(urlsplit(host).hostname).endswith(".hf.space")
    trusted = known_host or bool(os.environ.get("HF_ENDPOINT"))
    return host.rstrip("/"), {"authorization": f"Bearer {token}"} if token and trusted else {}
