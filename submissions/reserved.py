"""Names that no system may have: those of floors and ceilings, of people whom it is compared with, and of the board itself."""

from __future__ import annotations

import re
import tomllib
import unicodedata
from functools import cache
from importlib.resources import files

from submissions.names import skeleton

_VERSION = re.compile(r"(?<![^\W_])v?\.?\s?\d[\d.]*(?![^\W_])|(?<=[^\W\d_])v?\d[\d.]*(?![^\W_])", re.IGNORECASE)


def is_reserved(name: str) -> bool:
    """Whether a system of this name could be taken for a floor, a ceiling, a person or the board's own word."""
    plain = unicodedata.normalize("NFKC", name)
    unversioned = _VERSION.sub(" ", plain)
    return is_board(plain) or _holds_alone(plain) or any(map(_only_roles, (plain, unversioned, _without_letters(unversioned))))


def is_board(name: str) -> bool:
    """Whether a text holds the name of the board, beginning at the start of a word, or of a part of a word in CamelCase."""
    starts = [match.start() for match in re.finditer(r"(?<![^\W_])[^\W_]|(?<=[^\W\d_A-Z])[A-Z]", name)]
    (board,) = _skeletons("board")
    return any(_every(name[start : start + 3 * len(board)]).startswith(board) for start in starts)


def _holds_alone(name: str) -> bool:
    forbidden = _skeletons("alone")
    return any(_every(word) in forbidden or _every(_VERSION.sub("", word)) in forbidden for word in name.split())


def _only_roles(name: str) -> bool:
    """Whether a name can be cut into words of `roles` and `fillers`, at least one of them a role; blanks and signs do not count."""
    text = _every(name)
    roles, fillers = _skeletons("roles"), _skeletons("fillers")
    longest = max(map(len, roles | fillers))
    # By length of a beginning: whether it can be cut, and whether with a role in it.
    cut = {0: {False}}
    for end in range(1, len(text) + 1):
        cut[end] = {
            known or text[start:end] in roles
            for start in range(max(0, end - longest), end)
            for known in cut[start]
            if text[start:end] in roles or text[start:end] in fillers
        }
    return True in cut[len(text)]


def _without_letters(name: str) -> str:
    """A name without words of one letter: Radiologist A."""
    return " ".join(word for word in re.findall(r"[^\W_]+", name) if len(word) > 1)


def _every(text: str) -> str:
    return skeleton(text, every_digit=True).replace("+", "t")


@cache
def _skeletons(kind: str) -> frozenset[str]:
    """The skeletons of one list of `reserved.toml`."""
    words = tomllib.loads(files("submissions").joinpath("reserved.toml").read_text(encoding="utf-8"))[kind]
    return frozenset(_every(word) for word in ([words] if isinstance(words, str) else words))
