"""Servers that may be asked, and the rule that keeps credentialed text on this machine."""

from __future__ import annotations

import ipaddress
import os
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from urllib.parse import urlsplit

from harness import config
from harness.config.home import home
from harness.errors import Problem, RefusedError, UsageError
from harness.types import Access

DEFAULT_URL = "http://127.0.0.1:8000/v1"
"""Where vLLM and `transformers serve` listen when nobody says otherwise."""
DEFAULT_LIMIT = 64


@dataclass(frozen=True, slots=True)
class Endpoint:
    """One OpenAI-compatible server."""

    url: str
    """Up to and including `/v1`, without a slash at the end."""
    limit: int = DEFAULT_LIMIT
    """Most questions in flight at once."""
    model: str = ""
    """What this server calls the model; empty for the model's usual name."""
    dialect: str = ""
    """How it is asked to restrict an answer to a set; empty for the way in which the model is usually served."""
    key: str = field(default="", repr=False)
    """Sent as a bearer token."""
    reason: str = ""
    """Why credentialed text may go there, as the user's configuration says."""

    @property
    def place(self) -> str:
        """Host and port: what may be shown and kept."""
        parts = urlsplit(self.url)
        host = f"[{parts.hostname}]" if ":" in (parts.hostname or "") else parts.hostname
        return f"{host}:{parts.port or (443 if parts.scheme == 'https' else 80)}"

    @property
    def here(self) -> bool:
        """Whether it is on this machine: a loopback address or `localhost`, not a name that merely resolves to one today."""
        host = urlsplit(self.url).hostname or ""
        if host == "localhost":
            return True
        try:
            return ipaddress.ip_address(host).is_loopback
        except ValueError:
            return False


def endpoints(urls: Sequence[str], access: Access) -> tuple[Endpoint, ...]:
    """The servers that are meant, and may be asked about text of that access.

    Args:
        urls: As given by the user; where there are none, those of `config.toml`, or a server at `DEFAULT_URL`.
        access: The access of the text that would be sent.

    Raises:
        UsageError: A URL is not one of a server.
        InputError: The configuration is wrong.
        RefusedError: Text of that access must not be sent to one of them.
    """
    listed = {item.url: item for item in _listed()}
    if urls:
        made = tuple(listed.get(_clean(url)) or Endpoint(_clean(url), key=os.environ.get("RANSCORE_API_KEY", "")) for url in urls)
    else:
        made = tuple(listed.values()) or (Endpoint(DEFAULT_URL, key=os.environ.get("RANSCORE_API_KEY", "")),)
    permit(made, access)
    return made


def permit(asked: Iterable[Endpoint], access: Access) -> None:
    """Refuse servers off this machine for credentialed text, unless the user's configuration gives a reason for each.

    Raises:
        RefusedError: With every server that is refused.
    """
    if access is Access.OPEN:
        return
    refused = [item for item in asked if not item.here and not item.reason]
    if refused:
        raise RefusedError([_refusal(item.place, item.url) for item in refused])


def _refusal(place: str, url: str) -> Problem:
    return Problem(
        f"the reports are credentialed, and {place} is not on this machine: PhysioNet's data use agreement forbids sharing "
        "credentialed text with third parties, and sending it to an online service is sharing it",
        "Serve the model on this machine. If the reports are public, say --open. If your agreement covers that server, write into "
        f'{home() / "config.toml"}: [[endpoint]] url = "{url}" credentialed = "why it is allowed"',
    )


def _clean(url: str) -> str:
    """A URL in one form.

    Raises:
        UsageError: It is not http or https, or carries a password, a query or a fragment.
    """
    parts = urlsplit(url)
    try:
        wrong = parts.scheme not in ("http", "https") or not parts.hostname or parts.port == 0
    except ValueError:
        wrong = True
    if wrong or parts.username or parts.password or parts.query or parts.fragment:
        raise UsageError(
            "an endpoint is the address of a server such as http://127.0.0.1:8000/v1, without a password or a question mark in it; "
            "a key goes into the environment variable RANSCORE_API_KEY"
        )
    return url.rstrip("/")


def _listed() -> list[Endpoint]:
    """The servers of the user's configuration."""
    return [
        Endpoint(
            _clean(item["url"]),
            item["limit"],
            item.get("model", ""),
            item.get("dialect", ""),
            os.environ.get(item["key_env"], ""),
            item.get("credentialed", "").strip(),
        )
        for item in config.tables("endpoint")
    ]
