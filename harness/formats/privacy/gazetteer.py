"""The words that rules know: given names, words that are no names, cities, Chinese surnames."""

from __future__ import annotations

import json
from functools import cache
from importlib import resources


@cache
def words(name: str) -> frozenset[str]:
    """A list of `words.json`: lower case English words, or Chinese words (single surnames one by one)."""
    data = json.loads(resources.files("harness.formats.privacy").joinpath("words.json").read_text(encoding="utf-8"))
    return frozenset(data[name] if name == "han_surnames" else data[name].split())
