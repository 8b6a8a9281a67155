"""RGRG's last steps: ids to words, regions' sentences to one report without repetitions."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from pathlib import Path

from generators.blocks.answering import tidied
from harness.errors import InputError, Problem
from harness.networks.containers import json_object
from harness.signature import digest

SAME = 0.9
"""BERTScore F1 above which two sentences say the same."""
BOUNDARY = re.compile(r"(?<=[.!?])\s+(?=[^\s])")
ABBREVIATED = re.compile(r"(?:^|\s)(?:dr|mr|mrs|ms|vs|approx|e\.g|i\.e|cf|no|st|fig|\d{1,2})\.$", re.IGNORECASE)
"""A full stop that ends no sentence: a title, or the number of a list."""
LONGEST = 10
"""Characters that hold the longest of them, with what is before it."""
Alike = Callable[[str, str], float]


class Vocabulary:
    """The words of GPT-2's byte-pair tokeniser, for reading ids only: neither merges nor a tokeniser library are needed."""

    def __init__(self, pieces: Sequence[str], end: int) -> None:
        self.digest = digest(list(pieces))
        self._pieces, self._end = [bytes(BYTES[sign] for sign in piece if sign in BYTES) for piece in pieces], end

    def text(self, ids: Sequence[int]) -> str:
        """Decode, leaving out the end token, and fix the spaces as published."""
        made = b"".join(self._pieces[token] for token in ids if token != self._end).decode("utf-8", "replace")
        return tidied(made)


def _byte_signs() -> dict[str, int]:
    """GPT-2's printable stand-in for each byte: itself where printable in Latin-1, else the next free sign from 256 on."""
    printable = [*range(ord("!"), ord("~") + 1), *range(ord("¡"), ord("¬") + 1), *range(ord("®"), ord("ÿ") + 1)]
    rest = [byte for byte in range(256) if byte not in printable]
    return {chr(byte): byte for byte in printable} | {chr(256 + place): byte for place, byte in enumerate(rest)}


BYTES = _byte_signs()


def read_vocabulary(path: Path, size: int) -> Vocabulary:
    """Read `vocab.json` or `tokenizer.json`, or a folder that holds one.

    Raises:
        InputError: There is none, or it has another number of words than the weights.
    """
    named = [path / name for name in ("vocab.json", "tokenizer.json")] if path.is_dir() else [path]
    file = next((item for item in named if item.is_file()), path)
    try:
        table = json_object(file)
        ids = table["model"]["vocab"] if isinstance(table.get("model"), dict) else table
        pieces = {int(number): str(piece) for piece, number in ids.items()}
    except (ValueError, AttributeError, KeyError, TypeError, OverflowError):
        raise InputError(
            Problem("there is no GPT-2 vocabulary", "Give the folder with vocab.json of the language model", str(path))
        ) from None
    if sorted(pieces) != list(range(size)):
        what = f"the vocabulary has {len(pieces)} words, the weights have {size}"
        raise InputError(Problem(what, "Give the vocabulary of the same model", str(file)))
    return Vocabulary([pieces[number] for number in range(size)], size - 1)


def split(text: str) -> list[str]:
    """Sentences: a new one begins after a full stop, question or exclamation mark and a space.

    The published script asks spaCy's transformer model instead; see docs/baselines.md for how seldom that matters.
    """
    parts: list[str] = []
    for part in BOUNDARY.split(text.strip()):
        if parts and ABBREVIATED.search(parts[-1], max(0, len(parts[-1]) - LONGEST)):
            parts[-1] += " " + part
        elif part:
            parts.append(part)
    return parts


def report(sentences: Sequence[str], alike: Alike | None = None) -> str:
    """One report from the regions' sentences, in the order of the regions, as published: repeated sentences go, then near copies.

    Args:
        sentences: What was written for each region.
        alike: BERTScore F1 of two sentences; without it only exact copies go.
    """
    kept = list(dict.fromkeys(split(" ".join(sentences))))
    if alike is None:
        return " ".join(kept)
    # Where two say the same, the shorter one is removed; where both are equally long, the earlier one. What is removed is compared no further.
    gone: set[str] = set()
    for place, first in enumerate(kept):
        for second in kept[place + 1 :]:
            if first in gone:
                break
            if second not in gone and alike(first, second) > SAME:
                gone.add(second if len(first) > len(second) else first)
    return " ".join(sentence for sentence in kept if sentence not in gone)
