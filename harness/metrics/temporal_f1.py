"""Temporal F1 (Zhang et al. 2024, Libra): the words of change that two reports share. No model decides it, see below.

The published program also asks a tagger (Stanza's radiology model) for entities, and keeps those that are one of 44 words. Each such
entity is a word of the text, so looking for the 44 words finds it too. The one exception: cleaning joins words at signs that it takes
out ("new/old" becomes "newold"), and a tagger that reads the text before it is cleaned can then see a word that is no longer there.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

import numpy as np

from harness.errors import UsageError
from harness.metrics.means import Mean
from harness.types import Array

SMALL = 1e-10
WORDS = frozenset(
    {
        "bigger",
        "change",
        "cleared",
        "constant",
        "decrease",
        "decreased",
        "decreasing",
        "elevated",
        "elevation",
        "enlarged",
        "enlargement",
        "enlarging",
        "expanded",
        "greater",
        "growing",
        "improved",
        "improvement",
        "improving",
        "increase",
        "increased",
        "increasing",
        "larger",
        "new",
        "persistence",
        "persistent",
        "persisting",
        "progression",
        "progressive",
        "reduced",
        "removal",
        "resolution",
        "resolved",
        "resolving",
        "smaller",
        "stability",
        "stable",
        "stably",
        "unchanged",
        "unfolded",
        "worse",
        "worsen",
        "worsened",
        "worsening",
        "unaltered",
    }
)
"""Words of change (Bannur et al. 2023)."""
_WORD = re.compile(r"\b(?:" + "|".join(sorted(WORDS)) + r")\b")


def temporal_f1(recipe: str) -> Mean:
    """Temporal F1, in the form that Libra and RadEval print.

    Raises:
        UsageError: A recipe is named; there is none.
    """
    if recipe:
        raise UsageError(f"temporal-f1 has no recipe {recipe!r}: it has one definition")
    return Mean("temporal-f1", "", ("f1",), measure)


def measure(references: Sequence[str], candidates: Sequence[str]) -> Array:
    """One value a pair."""
    return np.array([[f1(words(one), words(other))] for one, other in zip(references, candidates, strict=True)])


def words(text: str) -> frozenset[str]:
    """The words of change in a text, after the published cleaning."""
    text = re.sub(r"[_-]+", " ", re.sub(r"\n+", " ", text))
    text = re.sub(r"[^\w\s.,:;()-]", "", text)
    return frozenset(_WORD.findall(re.sub(r"\s{2,}", " ", text).strip().lower()))


def f1(reference: frozenset[str], candidate: frozenset[str]) -> float:
    """1 where neither has a word, next to 0 where only one has, else twice what is shared over the sum, each with 1e-10 added."""
    if not reference:
        return SMALL if candidate else 1.0
    shared = len(reference & candidate) + SMALL
    precision, recall = shared / (len(candidate) + SMALL), shared / (len(reference) + SMALL)
    return 2 * precision * recall / (precision + recall + SMALL)
