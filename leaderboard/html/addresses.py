"""Where links lead: on the live page by query string, in the static site by file name. Pure."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Protocol
from urllib.parse import urlencode

from leaderboard.board import Board

FILES = {"csv": "csv", "json": "json", "markdown": "md", "latex": "tex", "svg": "svg", "bibtex": "bib"}
"""Export formats of a board with their endings."""
SYSTEM_FILES = {"badge": "svg", "eval-results": "yaml", "citation": "bib", "latex-row": "tex", "record": "json"}
"""Export formats of one system with their endings."""


class Addresses(Protocol):
    """What views ask for addresses."""

    def tab(self, name: str, board: Board, **query: str) -> str:
        """A page; `query` names systems (`system`, or `a` and `b`) and choices."""
        ...

    def file(self, kind: str, board: Board, system: str = "") -> str:
        """An export of a board or of one system."""
        ...

    def pieces(self, board: Board) -> str:
        """The pieces from which the page's script makes exports of what is shown; empty where a server makes them."""
        ...


@dataclass(frozen=True, slots=True)
class Live:
    """Addresses of the running page."""

    def tab(self, name: str, board: Board, **query: str) -> str:
        """The page itself, with everything in the query string."""
        return "?" + urlencode({"tab": name, "board": board.key, **query})

    def file(self, kind: str, board: Board, system: str = "") -> str:
        """What the server makes when asked."""
        return f"ranscore/export/{kind}?" + urlencode({"board": board.key} | ({"system": system} if system else {}))

    def pieces(self, board: Board) -> str:
        """The server makes them."""
        return ""


@dataclass(frozen=True, slots=True)
class Files:
    """Addresses of the static site: one flat folder."""

    pairs: frozenset[tuple[str, str]] = frozenset()
    """The pairs of systems that have a page of their own."""

    def tab(self, name: str, board: Board, **query: str) -> str:
        """A file; a pair without a page of its own leads to the matrix."""
        if name == "system":
            return f"system-{slug(query['system'])}.html"
        pair = (query.get("a", ""), query.get("b", ""))
        if name == "compare" and pair in self.pairs:
            return f"compare-{slug(pair[0])}-{slug(pair[1])}.html"
        if name == "findings" and query.get("part", "f1") != "f1":
            return f"findings-{board.key}-{slug(query['part'])}.html"
        return f"{name}-{board.key}.html"

    def file(self, kind: str, board: Board, system: str = "") -> str:
        """A file beside the pages."""
        if system:
            return f"{kind}-{slug(system)}.{SYSTEM_FILES[kind]}"
        return f"board-{board.key}.{FILES[kind]}"

    def pieces(self, board: Board) -> str:
        """A file beside the pages, read when somebody asks for an export."""
        return f"pieces-{board.key}.js"


def slug(name: str) -> str:
    """Lower case letters, digits and hyphens, fit for any file system."""
    return re.sub(r"[^a-z0-9]+", "-", name.lower()).strip("-")[:60] or "x"
