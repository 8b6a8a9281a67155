"""ROUGE-L (Lin 2004): the longest common subsequence of words, as an F measure, averaged over reports."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from harness.metrics.text.ngrams import numbered
from harness.metrics.text.on_words import OnWords, mean_of
from harness.metrics.text.tokens import read_recipe
from harness.types import Array, Input

DEFAULT = "coco|ptb"
WAYS: Mapping[str, Mapping[str, str]] = {
    "rouge-l": {"coco": "F with beta 1.2, as pycocoevalcap: recall weighs more", "f1": "F1, as rouge-score"}
}
_BETA = {"coco": 1.2, "f1": 1.0}


@dataclass(frozen=True, slots=True)
class RougeL(OnWords):
    """ROUGE-L by one recipe."""

    name: str = "rouge-l"
    columns: tuple[str, ...] = ("sum-f", "studies")
    headline: str = "rouge-l"

    def rows(self, references: Sequence[Input], candidates: Sequence[Input]) -> Array:
        """(F, 1) per study; F is 0 where either side has no words."""
        texts = tuple(item.text for item in references), tuple(item.text for item in candidates)
        first, second, _ = numbered(self.preparation, *texts)
        common = np.array([common_words(a, b) for a, b in zip(first.each(), second.each(), strict=True)], dtype=np.float64)
        weight = _BETA[self.way] ** 2
        # (1 + b2) P R / (R + b2 P) with P = common / candidate and R = common / reference.
        values = (1 + weight) * common / np.maximum(second.lengths + weight * first.lengths, 1)
        return np.stack([values, np.ones_like(values)], axis=1)

    def score(self, total: Array) -> Mapping[str, Array]:
        """The mean of F over the studies."""
        return {self.headline: mean_of(total)}


def common_words(first: Sequence[int], second: Sequence[int]) -> int:
    """Length of the longest common subsequence, a row of the table at a time in the bits of one number (Hyyrö 2004)."""
    places: defaultdict[int, int] = defaultdict(int)
    for place, word in enumerate(first):
        places[word] |= 1 << place
    full = (1 << len(first)) - 1
    row = full
    for word in second:
        if word in places:
            hit = row & places[word]
            row = (row + hit) | (row - hit)
    return len(first) - (row & full).bit_count()


def rouge_l(recipe: str) -> RougeL:
    """ROUGE-L by a recipe; `coco|ptb` where none is named."""
    return RougeL(*read_recipe("rouge-l", recipe, WAYS["rouge-l"], DEFAULT))
