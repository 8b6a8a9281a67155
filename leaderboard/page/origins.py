"""The names and origins of a page: under which it is reached, and which pages may ask it for something."""

from __future__ import annotations

import os
import re
import socket
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

from harness.errors import InputError, Problem, UsageError

PORTS = {"http": 80, "https": 443}


@dataclass(frozen=True, slots=True, kw_only=True)
class Own:
    """What a page answers to."""

    names: frozenset[str] = frozenset({"localhost"})
    """Host names without ports."""
    origins: frozenset[str] = frozenset()
    """Scheme, name and port of the pages that may ask, besides the one that a request arrives at."""
    prefix: str = ""
    """The path under which a proxy shows the page, without a slash at its end."""
    space: bool = False
    """Whether it is a Space of the Hub, which shows it inside its own page."""

    def is_same(self, origin: str, host: str) -> bool:
        """Whether an `Origin` header names the server that the `Host` header names; of a listed name, only the listed origin counts."""
        scheme, _, place = origin.partition("://")
        name = netloc(host)[0]
        if any(netloc(listed.partition("://")[2])[0] == name for listed in self.origins):
            return origin in self.origins
        return scheme in PORTS and netloc(place, PORTS[scheme]) == netloc(host, PORTS[scheme])

    @property
    def frames(self) -> str:
        """Who may show the page inside another one, in the words of a security policy."""
        return "'self' https://huggingface.co" if self.space else "'self'"

    def headers(self) -> Mapping[str, str]:
        """The security headers of every answer that has none of its own."""
        return {
            "content-security-policy": f"default-src 'none'; style-src 'unsafe-inline'; frame-ancestors {self.frames}",
            "x-content-type-options": "nosniff",
            "referrer-policy": "same-origin",
            "cross-origin-resource-policy": "same-origin",
        }


def netloc(text: str, port: int | None = None) -> tuple[str, int | None]:
    """Name and port of a host in small letters; an empty name where it is none.

    Args:
        text: As a header writes it, for example `[::1]:7860`.
        port: The one that is meant where none is written.
    """
    found = re.fullmatch(r"([a-z0-9._-]+|\[[0-9a-f:.]+\])(?::([0-9]{1,5}))?", text.lower(), re.ASCII)
    return (found[1], int(found[2]) if found[2] else port) if found else ("", None)


def of(settings: Mapping[str, Any], file: str = "") -> Own:
    """What a page answers to by its settings and its machine.

    Args:
        settings: `[page]` of the configuration: `address` and `origins`.
        file: The configuration's file, for messages.

    Raises:
        InputError: One of them is no web address.
    """
    listed = settings.get("origins", [])
    addresses = [settings.get("address", ""), *(listed if isinstance(listed, list) else [listed])]
    wrong = [number for number, address in enumerate(addresses) if address != "" and _origin(address) is None]
    if wrong or not isinstance(listed, list):
        keys = dict.fromkeys("origins" if number else "address" for number in wrong or [1])
        remedy = 'Write whole ones: address = "https://example.org/board", origins = ["https://board.example.org"]'
        raise InputError([Problem(f"[page] {key} is not a web address", remedy, file) for key in keys])
    origins = {origin for address in addresses if (origin := _origin(address))}
    spaces = [name.strip().lower() for name in os.environ.get("SPACE_HOST", "").split(",") if name.strip()]
    names = {"localhost", socket.gethostname().lower(), *spaces, *(netloc(origin.partition("://")[2])[0] for origin in origins)}
    prefix = urlsplit(os.environ.get("GRADIO_ROOT_PATH") or str(addresses[0])).path.rstrip("/")
    return Own(
        names=frozenset(names),
        origins=frozenset(origins | {f"https://{name}" for name in spaces}),
        prefix=prefix,
        space=bool(os.environ.get("SPACE_ID")),
    )


def prefix_of(root_path: str) -> str:
    """A path without the slash at its end; empty for `/`.

    Raises:
        UsageError: It is not the path of an address.
    """
    prefix = root_path.rstrip("/")
    if prefix and not re.fullmatch(r"(?:/(?!\.\.?(?:/|$))[\w.~-]+)+", prefix, re.ASCII):
        raise UsageError(Problem(f"{root_path!r} is not the path of an address", "Write it as in --root-path /board"))
    return prefix


def _origin(address: object) -> str | None:
    """Scheme, name and port of a web address as a browser writes them; None where it is none."""
    if not isinstance(address, str):
        return None
    scheme, _, rest = address.strip().partition("://")
    name, port = netloc(re.split(r"[/?#]", rest, maxsplit=1)[0], PORTS.get(scheme.lower()))
    if not name or scheme.lower() not in PORTS:
        return None
    return f"{scheme.lower()}://{name}" + ("" if port == PORTS[scheme.lower()] else f":{port}")
