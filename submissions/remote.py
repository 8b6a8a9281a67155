"""Handing in to a board that runs elsewhere: a Space by its name, or any address. The page there checks everything again."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

from harness.errors import InputError, Problem, RefusedError, UnavailableError
from harness.types import Json, SystemCard
from submissions.intake import Receipt, card_json


def is_remote(place: str) -> bool:
    """Whether `--to` names an address or a Space rather than a folder."""
    return place.startswith(("http://", "https://")) or (place.count("/") == 1 and not Path(place).is_dir() and place[0] not in "./~")


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
        InputError: The page found problems; they are named as it named them.
        RefusedError: Its privacy screen noticed something.
        UnavailableError: The page does not answer.
    """
    from gradio_client import handle_file

    answer = ask(place, "/hand_in", handle_file(path), cohort, json.dumps(card_json(card)), agreed, looked, dry_run, code)
    if problems := answer.get("problems"):
        raise InputError([Problem(**problem) for problem in problems])
    if not dry_run and not answer.get("id"):
        raise RefusedError([Problem(**problem) for problem in answer["private"]])
    return (None if dry_run else Receipt(answer["id"], answer["code"])), answer


def receipt(place: str, name: str) -> Json:
    """What a receipt says now."""
    return ask(place, "/receipt", name)


def withdraw(place: str, name: str, code: str, reason: str) -> Json:
    """Withdraw.

    Raises:
        RefusedError: The page does not allow it.
    """
    answer = ask(place, "/withdraw", name, code, reason)
    if answer.get("refused"):
        raise RefusedError(str(answer["refused"]))
    return answer


def ask(place: str, name: str, *arguments: Any) -> Json:
    """Call one of the page's functions; the token of `HF_TOKEN`, where there is one, goes to a Space alone."""
    from gradio_client import Client

    token = os.environ.get("HF_TOKEN") if not place.startswith("http") else None
    try:
        client = Client(place, token=token, verbose=False, download_files=False)
        answer = client.predict(*arguments, api_name=name)
    except Exception as error:
        raise UnavailableError(f"the board at {place} does not answer ({type(error).__name__}); is the address right?") from None
    if not isinstance(answer, dict):
        raise UnavailableError(f"what answers at {place} is not this program's page")
    return answer
